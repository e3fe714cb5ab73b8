// My own drawings: drawn or uploaded, seen as the set that they become, and taught to a small network.
import { answerTo, placeIn } from "../component.js";
import { decodeBytes, encodeBytes, inflateLevels } from "../bytes.js";
import { button, checkbox, h, newId, sentence, settled } from "../dom.js";
import { keepKey, myKeys } from "../keys.js";
import { paintGrid } from "../paint.js";
import { makeInk } from "./ink.js";
import { makePictureFiles } from "./picture_files.js";
import { offerQueue, watchRun } from "./train.js";
import { say } from "../words.js";

const PIXELS = 28 * 28;
const THUMBS = 100; // drawings that are shown one by one
const KEY = "ddpm-own-drawings"; // kept until this tab of the browser is closed, for a page that is loaded again

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  const {
    least,
    most,
    bytes: mostBytes,
    zip_bytes: mostZip,
    minutes,
    most_minutes: mostMinutes,
    width,
    parameters,
    begins_with: beginsWith,
  } = props.value;
  /** @type {Uint8Array[]} */
  let drawings = []; // 784 bytes each
  let asked = 0;

  const panel = h("details", { class: "ddpm-details" });
  const words = h("p", { class: "ddpm-facts", role: "status" });
  const tell = (/** @type {string} */ text) => {
    words.textContent = text;
  };
  const ink = makeInk({
    onDrawn: () => {
      done.disabled = false;
    },
    tell,
  });
  const done = button(say("Done: next drawing"), keepDrawing, { class: "ddpm-button ddpm-primary", disabled: true });
  const files = makePictureFiles({
    mostBytes,
    mostZip,
    server,
    tell,
    add,
    most,
    count: () => drawings.length,
    changed,
  });
  const thumbs = h("div", {
    class: "ddpm-thumbs",
    role: "group",
    "aria-label": say("your drawings; press one to remove it"),
  });
  const count = h("h3", {}, "");
  const removeAll = button(say("Remove all"), () => {
    drawings = [];
    files.faults.replaceChildren();
    changed();
  });
  const classes = Array.from({ length: 10 }, (_, label) => {
    const id = newId("mix"),
      input = h("input", { type: "checkbox", id, onchange: changed });
    return { label, input, element: h("span", {}, input, " ", h("label", { for: id }, label)) };
  });
  const grid = h("canvas", {
    width: 28,
    height: 28,
    class: "ddpm-pixels ddpm-own-set",
    role: "img",
    "aria-label": say("the set: nothing yet"),
  });
  const caption = h("figcaption", {}, "");
  const set = h("figure", { hidden: true }, grid, caption);
  const length = field(say("minutes"), { type: "number", value: minutes, min: 0.1, max: mostMinutes, step: "any" });
  const name = field(say("name of the run"), { type: "text", maxlength: 40, placeholder: say("chosen for you") });
  const begun = checkbox(
    say(
      "start from {checkpoint}, a network that has learned MNIST's digits and so knows strokes; without it, from scratch",
      { checkpoint: beginsWith },
    ),
    () => {},
  );
  begun.input.checked = Boolean(beginsWith);
  begun.element.hidden = !beginsWith;
  const start = button(say("Start with my drawings"), begin, { class: "ddpm-button ddpm-primary", disabled: true });

  /**
   * @param {string} text
   * @param {Record<string, any>} attributes
   */
  function field(text, attributes) {
    const id = newId("own-field"),
      input = h("input", { id, class: "ddpm-field", ...attributes });
    return { input, element: h("span", { class: "ddpm-row" }, h("label", { for: id }, text), input) };
  }
  const mixed = () => classes.filter((each) => each.input.checked).map((each) => String(each.label));
  function allPixels() {
    const all = new Uint8Array(PIXELS * drawings.length);
    drawings.forEach((drawing, k) => all.set(drawing, k * PIXELS));
    return encodeBytes(all);
  }
  const question = () => ({
    pixels: allPixels(),
    classes: mixed(),
    minutes: length.input.valueAsNumber,
    name: name.input.value,
    begun: begun.input.checked,
  });

  async function keepDrawing() {
    if (!ink.inked()) return;
    done.disabled = true;
    const answer = await answerTo(server.read_sign({ file: await ink.file() }));
    if (answer.error) {
      done.disabled = false;
      tell(sentence(answer.error));
      return;
    }
    if (!add(answer.pixels)) return;
    ink.clear();
    tell(
      drawings.length < least
        ? say("Another one, a little different: at least {least} are needed.", { least })
        : say("Draw as many more as you like, or start."),
    );
    changed();
  }
  /**
   * Add the drawings of base64 text, 784 bytes each; false when there is no room for all of them.
   * @param {string} text
   */
  function add(text) {
    const all = decodeBytes(text),
      room = most - drawings.length;
    for (let k = 0; k < Math.min(room, all.length / PIXELS); k++)
      drawings.push(all.slice(k * PIXELS, (k + 1) * PIXELS));
    if (all.length / PIXELS <= room) return true;
    tell(say("At most {most:,} drawings are learned; the others were left out.", { most }));
    return false;
  }

  function changed() {
    const n = drawings.length,
      shown = drawings.slice(-THUMBS),
      first = n - shown.length;
    count.textContent = n ? say("{count:,} drawing|{count:,} drawings", { count: n }) : "";
    removeAll.hidden = n === 0;
    thumbs.replaceChildren(
      ...shown.map((drawing, k) => {
        const canvas = h("canvas", { class: "ddpm-pixels" });
        paintGrid(canvas, drawing, 1, 28, 0);
        return h(
          "button",
          {
            type: "button",
            class: "ddpm-thumb",
            "aria-label": say("remove drawing {place}", { place: first + k + 1 }),
            title: say("remove it"),
            onclick: () => remove(drawing),
          },
          canvas,
        );
      }),
      ...(first ? [h("span", { class: "ddpm-small" }, say("and {count:,} before them", { count: first }))] : []),
    );
    panel.dataset.drawings = String(n);
    start.disabled = n < least;
    start.textContent =
      n < least ? say("Start: {count} more needed", { count: least - n }) : say("Start with my drawings");
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ pixels: allPixels(), classes: mixed() }));
    } catch {
      /* then a reload forgets them */
    }
    preview();
  }
  /** @param {Uint8Array} drawing */
  function remove(drawing) {
    const place = drawings.indexOf(drawing);
    drawings.splice(place, 1);
    changed();
    (thumbs.querySelectorAll("button")[Math.min(place, drawings.length - 1)] ?? ink.canvas).focus();
  }
  const preview = settled(async () => {
    const mine = ++asked;
    if (drawings.length < least) {
      set.hidden = true;
      return;
    }
    const answer = await answerTo(server.preview_set({ ...question(), minutes }));
    if (mine !== asked) return;
    if (answer.error) {
      set.hidden = true;
      start.disabled = true;
      tell(sentence(answer.error));
      return;
    }
    const levels = await inflateLevels(answer.pictures, 8);
    if (mine !== asked) return;
    paintGrid(grid, levels, answer.n, 28, 2, 10);
    const mix = mixed();
    const told = { shown: answer.n, total: answer.total, classes: mix.join(" ") };
    caption.textContent = mix.length
      ? say(
          "{shown} of the {total:,} pictures it will learn from, picked at random: your drawings, each turned, slanted, " +
            "scaled and shifted a little, and MNIST's {classes}.",
          told,
        )
      : say(
          "{shown} of the {total:,} pictures it will learn from, picked at random: your drawings, each turned, slanted, " +
            "scaled and shifted a little.",
          told,
        );
    grid.setAttribute("aria-label", caption.textContent);
    panel.dataset.total = answer.total;
    set.hidden = false;
  }, 300);

  async function begin() {
    start.disabled = true;
    tell(say("Starting …"));
    const asked = question(),
      answer = await answerTo(server.start_own(asked));
    start.disabled = drawings.length < least;
    if (answer.error) {
      tell(sentence(answer.error));
      return;
    }
    if (answer.busy) {
      tell(say("Another run is training: above you can let yours wait in the queue."));
      offerQueue(() => server.start_own({ ...asked, wait: true, keys: myKeys() }));
      return;
    }
    tell(say("It is learning now: watch it above. Each result is shown beside the nearest of your drawings."));
    keepKey(answer.key);
    watchRun(answer.run);
  }

  panel.append(
    h("summary", {}, say("My own drawings: teach it a symbol of your own")),
    ink.row(
      say("Draw a heart, a letter, a smile: the same thing at least {least} times, with mouse, finger or pen.", {
        least,
      }),
      h(
        "div",
        { class: "ddpm-row" },
        done,
        button(say("Clear the pad"), () => {
          ink.clear();
          done.disabled = true;
          tell("");
        }),
      ),
      h(
        "p",
        {},
        h("label", { for: files.input.id }, say("or pictures, or a zip of them (PNG, JPEG, WebP, GIF or BMP):")),
        " ",
        files.input,
      ),
      files.bar,
      files.stop,
      words,
      files.faults,
    ),
    h("div", { class: "ddpm-row" }, count, removeAll),
    thumbs,
    h(
      "div",
      { class: "ddpm-row ddpm-small", role: "group", "aria-label": say("MNIST's digits to mix in") },
      h("b", {}, say("Mix in MNIST's")),
      ...classes.map((each) => each.element),
    ),
    set,
    begun.element,
    h("div", { class: "ddpm-row" }, length.element, name.element, start),
    h(
      "p",
      { class: "ddpm-help" },
      say(
        "A network of {width} channels ({parameters:,} parameters) learns them. The drawings stay in this page and, once it " +
          "starts, in the run's folder; they are deleted with it, and an exported network does not contain them.",
        { width, parameters },
      ),
    ),
  );
  placeIn(element).replaceChildren(panel);

  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (typeof kept?.pixels === "string") add(kept.pixels);
    for (const each of classes) each.input.checked = kept?.classes?.includes(String(each.label)) ?? false;
  } catch {
    /* nothing was kept, or it cannot be read */
  }
  changed();
}
