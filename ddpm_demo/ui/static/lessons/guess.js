// The four ways to commit a guess: a mark on a scale, a choice, an order, a curve; each can lay the truth over it.
import { button, h, newId, reducedMotion } from "../dom.js";
import { watchStrokes } from "../strokes.js";
import { fill } from "../words.js";

/** Return {element, value(), valid(), lay(right)} for a lesson's prediction; `onDraft` is told every change. */
export function makeGuess(asked, words, draft, onDraft) {
  return { mark: makeMark, choice: makeChoice, rank: makeRank, curve: makeCurve }[asked.kind](
    asked,
    words,
    draft,
    onDraft,
  );
}

function makeMark(asked, words, draft, onDraft) {
  const id = newId("mark"),
    step = asked.high - asked.low > 20 ? 1 : "any";
  const reading = (value) => fill(asked.reading, { value: Math.round(value) });
  const output = h("output", { for: id, class: "ddpm-value", "aria-live": "off" });
  const input = h("input", {
    type: "range",
    id,
    min: asked.low,
    max: asked.high,
    step,
    value: draft ?? asked.start,
    oninput: () => {
      describe();
      onDraft(Number(input.value));
    },
  });
  const marks = h("div", { class: "ddpm-lesson-scale", hidden: true });
  const head = h("div", { class: "ddpm-slider-head" }, h("label", { for: id }, words.your_guess), output);
  function describe() {
    output.textContent = reading(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  }
  describe();
  const at = (value) =>
    `${(100 * (Math.min(asked.high, Math.max(asked.low, value)) - asked.low)) / (asked.high - asked.low)}%`;
  const flag = (value, text, name) => {
    const mark = h(
      "span",
      { class: `ddpm-lesson-mark ddpm-lesson-${name}` },
      h("b", {}, text),
      h("span", {}, reading(value)),
    );
    mark.style.left = at(value);
    if (value > asked.low + 0.6 * (asked.high - asked.low)) mark.classList.add("ddpm-lesson-leftward");
    return mark;
  };
  return {
    element: h("div", { class: "ddpm-lesson-guess ddpm-slider" }, head, input, marks),
    value: () => Number(input.value),
    valid: () => true,
    lay(right) {
      input.hidden = head.hidden = true;
      marks.hidden = false;
      const truth = flag(right, words.the_truth, "true");
      marks.replaceChildren(flag(Number(input.value), words.your_guess, "mine"), truth);
      // from the student's mark to where it belongs: how far off it was is seen as a way
      if (!reducedMotion())
        truth.animate([{ left: at(Number(input.value)) }, { left: at(right) }], {
          duration: 900,
          easing: "ease-in-out",
        });
    },
  };
}

/** A group of radio buttons; `chosen` is the key of one, or nothing. */
export function makeRadios(legend, choices, chosen, onChoose) {
  const name = newId("choice");
  const inputs = choices.map((choice) =>
    h("input", { type: "radio", name, id: newId("radio"), value: choice.key, onchange: () => onChoose(choice.key) }),
  );
  inputs.forEach((input) => {
    input.checked = input.value === chosen;
  });
  const lines = choices.map((choice, k) =>
    h(
      "div",
      { class: "ddpm-lesson-choice", "data-key": choice.key },
      inputs[k],
      h("label", { for: inputs[k].id }, choice.say),
    ),
  );
  return {
    element: h("fieldset", { class: "ddpm-lesson-choices" }, h("legend", {}, legend), ...lines),
    value: () => inputs.find((input) => input.checked)?.value ?? null,
    line: (key) => lines[choices.findIndex((choice) => choice.key === key)],
    disable: () =>
      inputs.forEach((input) => {
        input.disabled = true;
      }),
  };
}
const tag = (text, name) => h("span", { class: `ddpm-lesson-tag ddpm-lesson-${name}` }, text);

function makeChoice(asked, words, draft, onDraft) {
  const radios = makeRadios(words.your_guess, asked.choices, draft, onDraft);
  radios.element.classList.add("ddpm-lesson-guess");
  return {
    element: radios.element,
    value: radios.value,
    valid: () => radios.value() !== null,
    lay(right) {
      radios.disable();
      radios.line(radios.value()).append(tag(words.your_guess, "mine"));
      radios.line(right).append(tag(words.the_truth, "true"));
      radios.line(right).classList.add("ddpm-lesson-right");
    },
  };
}

function makeRank(asked, words, draft, onDraft) {
  let order = draft ?? asked.choices.map((choice) => choice.key);
  const sayOf = (key) => asked.choices.find((choice) => choice.key === key).say;
  const list = h("ol", { class: "ddpm-lesson-rank" });
  const spoken = h("p", { class: "ddpm-spoken", "aria-live": "polite" });
  function move(key, by) {
    const from = order.indexOf(key),
      to = from + by;
    if (to < 0 || to >= order.length) return;
    order = [...order];
    [order[from], order[to]] = [order[to], order[from]];
    onDraft(order);
    draw();
    /** @type {HTMLElement | null} */
    const arrow = list.querySelector(`[data-key="${CSS.escape(key)}"] button[data-by="${by}"]`);
    arrow?.focus();
    spoken.textContent = fill(words.place, { item: sayOf(key), place: to + 1, total: order.length });
  }
  const arrow = (key, by, sign, text) =>
    button(sign, () => move(key, by), { "aria-label": fill(text, { item: sayOf(key) }), "data-by": by });
  const draw = () =>
    list.replaceChildren(
      ...order.map((key) =>
        h(
          "li",
          { "data-key": key },
          h("span", {}, sayOf(key)),
          arrow(key, -1, "↑", words.up),
          arrow(key, 1, "↓", words.down),
        ),
      ),
    );
  draw();
  const element = h("div", { class: "ddpm-lesson-guess" }, list, spoken);
  return {
    element,
    value: () => order,
    valid: () => true,
    lay(right) {
      const column = (title, keys, name) =>
        h(
          "div",
          {},
          tag(title, name),
          h(
            "ol",
            { class: "ddpm-lesson-rank" },
            ...keys.map((key, k) => h("li", { class: keys[k] === right[k] ? "ddpm-lesson-right" : "" }, sayOf(key))),
          ),
        );
      element.replaceChildren(
        h(
          "div",
          { class: "ddpm-lesson-two" },
          column(words.your_guess, order, "mine"),
          column(words.the_truth, right, "true"),
        ),
      );
    },
  };
}

const COLUMNS = 10,
  TOP = 100;
const SVG = "http://www.w3.org/2000/svg";

function makeCurve(asked, words, draft, onDraft) {
  const values = draft ?? Array(COLUMNS).fill(TOP / 2);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${COLUMNS} ${TOP}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = (points, name) => {
    const element = document.createElementNS(SVG, "polyline");
    element.setAttribute("points", points.map((value, k) => `${k + 0.5},${TOP - value}`).join(" "));
    element.setAttribute("class", `ddpm-lesson-line ddpm-lesson-${name}`);
    return element;
  };
  const inputs = values.map((value, k) =>
    h("input", {
      type: "range",
      min: 0,
      max: TOP,
      step: 5,
      value,
      class: "ddpm-spoken",
      "aria-label": fill(words.column, { column: k + 1, total: COLUMNS }),
      oninput: () => set(k, Number(inputs[k].value)),
    }),
  );
  const draw = () => svg.replaceChildren(line(values, "mine"));
  function set(k, value) {
    values[k] = value;
    inputs[k].value = value;
    draw();
    onDraft([...values]);
  }
  const inside = (/** @type {number} */ x, /** @type {number} */ high) => Math.min(high, Math.max(0, x));
  const at = (/** @type {import("../strokes.js").Point} */ { x, y }) => {
    const box = svg.getBoundingClientRect();
    return {
      k: inside(Math.floor((COLUMNS * (x - box.left)) / box.width), COLUMNS - 1),
      value: Math.round(inside(TOP * (1 - (y - box.top) / box.height), TOP)),
    };
  };
  /** @type {{by: object, from: number, to: number, value: number}[]} */
  let lines = []; // of the strokes since the last time that none was under way
  let before = [...values]; // as it was then
  const lay = (/** @type {typeof lines[0]} */ { from, to, value }) => {
    for (let k = from; k !== to; k += Math.sign(to - from)) set(k, value); // a quick stroke leaves no column out
    set(to, value);
  };
  const pad = h("div", { class: "ddpm-lesson-curve" }, svg, ...inputs);
  const strokes = watchStrokes(pad, {
    draw: (stroke, from, to) => {
      if (!lines.length) before = [...values];
      const end = at(to),
        line = { by: stroke, from: at(from).k, to: end.k, value: end.value };
      lines.push(line);
      lay(line);
    },
    drop: (stroke) => {
      lines = lines.filter(({ by }) => by !== stroke);
      before.forEach((value, k) => set(k, value));
      lines.forEach(lay);
      if (!strokes.busy()) lines = [];
    },
    end: () => {
      if (!strokes.busy()) lines = [];
    },
  });
  inputs.forEach((input, k) => {
    input.addEventListener("focus", () => {
      pad.dataset.column = k;
      pad.style.setProperty("--column", k);
    });
    input.addEventListener("blur", () => {
      delete pad.dataset.column;
    });
  });
  const help = h("p", { class: "ddpm-help" }, words.draw_help);
  const legend = h(
    "p",
    { class: "ddpm-help ddpm-lesson-two", hidden: true },
    tag(words.your_guess, "mine"),
    tag(words.the_truth, "true"),
  );
  draw();
  return {
    element: h(
      "div",
      { class: "ddpm-lesson-guess" },
      h("p", { class: "ddpm-help" }, asked.height),
      pad,
      h("div", { class: "ddpm-lesson-ends" }, h("span", {}, asked.left_end), h("span", {}, asked.right_end)),
      help,
      legend,
    ),
    value: () => [...values],
    valid: () => true,
    lay(right) {
      // only the shape was asked for: both curves reach the top
      const most = Math.max(...values) || 1,
        top = Math.max(...right) || 1;
      svg.replaceChildren(
        line(
          values.map((value) => (value / most) * 96),
          "mine",
        ),
        line(
          right.map((value) => (value / top) * 96),
          "true",
        ),
      );
      inputs.forEach((input) => {
        input.disabled = true;
      });
      pad.inert = true;
      help.hidden = true;
      legend.hidden = false;
    },
  };
}
