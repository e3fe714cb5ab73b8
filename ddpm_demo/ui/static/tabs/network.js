// The Network tab's diagram: two paths of stages that can be walked, and what the chosen one does to the digit.
import { answerTo, placeIn } from "../component.js";
import { decodeBytes, decodeFloat32, encodeFloat32 } from "../bytes.js";
import { h, number, settled } from "../dom.js";
import { figure as written } from "../figures.js";
import { writeLink } from "../link.js";
import { formula } from "../maths.js";
import { grey, paintFloats, paintGrid, paintPlane } from "../paint.js";
import { pngButton, savableFigure } from "../png.js";
import { alphaBarAt, known, mixture, state, subscribe } from "../state.js";
import { inRow, say } from "../words.js";

const SIZE = 28;

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch, server) {
  let question = 0;
  const diagram = h("ol", { class: "ddpm-stages", "aria-label": say("stages of the network, from input to output") });
  const title = h("h2", {});
  const shape = h("p", { class: "ddpm-small" });
  const equation = h("p", { class: "ddpm-equation" });
  const source = h("code", {});
  const pictures = h("div", {});
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "stage" });
  const all = h(
    "div",
    {},
    diagram,
    title,
    shape,
    equation,
    pictures,
    words,
    h(
      "details",
      { class: "ddpm-details" },
      h("summary", {}, say("Its source code")),
      h("pre", { tabindex: 0 }, source),
    ),
  );
  placeIn(element).replaceChildren(all);

  /** @type {Record<string, HTMLButtonElement>} */
  let buttons = {};
  /** What runs through the image's path, in its order: x_t, then what leaves each stage. @type {Record<string, HTMLCanvasElement>} */
  let running = {};

  /** One drawing: x_t runs through the row of stages, the time vector runs above it and is added in every block. */
  function drawDiagram() {
    const { nodes } = props.value;
    const thumbnail = () => h("canvas", { width: SIZE, height: SIZE, class: "ddpm-pixels", "aria-hidden": "true" });
    running = { x_t: thumbnail() };
    buttons = {};
    const items = nodes.map((node) => {
      const onTime = node.id === "time";
      if (!onTime) running[node.id] = thumbnail();
      buttons[node.id] = h(
        "button",
        {
          type: "button",
          class: "ddpm-stage-button",
          onclick: () => {
            state.stage = node.id;
            writeLink();
            markChosen();
            ask();
          },
        },
        ...(onTime ? [] : [running[node.id]]),
        h("b", {}, node.title),
        ...(node.dilation ? [h("span", {}, say("dilation {dilation}", { dilation: node.dilation }))] : []),
      );
      const kind = onTime ? "ddpm-flow-time" : node.dilation ? "ddpm-flow-adds" : "";
      return h("li", { class: kind }, buttons[node.id], ...(onTime ? [h("span", { class: "ddpm-flow-rail" })] : []));
    });
    diagram.style.setProperty("--ddpm-columns", String(items.length)); // x_t has one, the time vector none of its own
    diagram.replaceChildren(h("li", { class: "ddpm-flow-in" }, running.x_t, h("span", {}, ...formula("xₜ"))), ...items);
    markChosen();
  }
  function markChosen() {
    for (const [id, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(id === state.stage));
    const node = props.value.nodes.find(({ id }) => id === state.stage);
    shape.textContent = node
      ? say("{taken} → {given}, {count:,} parameters", {
          taken: node.taken.join("×"),
          given: node.given.join("×"),
          count: node.parameters,
        })
      : "";
  }
  /**
   * Let the picture run through: every stage shows what leaves it, one after the other.
   * @param {Record<string, string>} flow
   */
  function run(flow) {
    paintFloats(running.x_t, mixture());
    for (const [place, [id, levels]] of Object.entries(flow).entries()) {
      const canvas = running[id];
      if (!canvas) continue; // of a network that is no longer on the screen
      paintGrid(canvas, decodeBytes(levels), 1, SIZE, 0);
      canvas.style.setProperty("--ddpm-place", String(place + 1));
      canvas.classList.remove("ddpm-arrives");
      void canvas.offsetWidth; // so that the animation begins anew
      canvas.classList.add("ddpm-arrives");
    }
  }
  function plane(values, width, height, low, high, label) {
    const canvas = h("canvas", { class: "ddpm-pixels", role: "img", "aria-label": label });
    paintPlane(canvas, values, width, height, low, high);
    return canvas;
  }
  /** A button that saves all channels of a row as one picture. */
  function rowButton(maps, row, name, called) {
    const sheet = h("canvas", {});
    paintGrid(
      sheet,
      Uint8Array.from(maps, (value) => grey(value, row.low, row.high)),
      maps.length / SIZE / SIZE,
      SIZE,
    );
    return pngButton(sheet, name, called);
  }
  function showMaps(answer) {
    const names = {
      input: say("the block's input y"),
      "with time": say("after adding the time vector"),
      "residual sum": say("after adding the convolution"),
      norm: say("after GroupNorm"),
      act: say("after SiLU"),
      output: say("output"),
    };
    pictures.replaceChildren(
      ...answer.rows.map((row) => {
        const maps = decodeFloat32(row.maps);
        return h(
          "div",
          {},
          h(
            "p",
            { class: "ddpm-small" },
            say("{name}: black {low}, white {high}", {
              name: names[row.label],
              low: number(row.low, 2),
              high: number(row.high, 2),
            }),
            " ",
            rowButton(maps, row, `${state.stage} ${row.label}`, names[row.label]),
          ),
          h(
            "div",
            { class: "ddpm-channels" },
            ...answer.channels
              .slice(0, maps.length / SIZE / SIZE)
              .map((channel, k) =>
                plane(
                  maps.subarray(k * SIZE * SIZE, (k + 1) * SIZE * SIZE),
                  SIZE,
                  SIZE,
                  row.low,
                  row.high,
                  say("channel {channel}, {name}", { channel, name: names[row.label] }),
                ),
              ),
          ),
        );
      }),
    );
    const sentences = [
      say("{digit} at t = {t}: channels {channels}, the strongest first.", {
        digit: known().digit.name,
        t: answer.t,
        channels: answer.channels,
      }),
    ];
    if (answer.moved) {
      const channels = answer.moved.map(({ channel, ratio }) =>
        say("{channel} (by {ratio} of the channel's own spread)", { channel, ratio: written(ratio, 2) }),
      );
      sentences.push(say("The time vector moves channels {channels} most over all t.", { channels }));
    }
    words.textContent = inRow(sentences);
  }
  function showTime(answer) {
    const { rows_count: rows, columns_count: columns, last } = answer;
    const figure = (values, width, name, label, caption) => {
      const canvas = plane(decodeFloat32(values), width, rows, -1, 1, label);
      return savableFigure(canvas, caption, name);
    };
    pictures.replaceChildren(
      h(
        "div",
        { class: "ddpm-pictures" },
        figure(
          answer.embedding,
          columns,
          "the sinusoidal embedding",
          say("the sinusoidal embedding"),
          say("the embedding: each row a t from 0 (top) to {last}, {count} sines, then {count} cosines", {
            last,
            count: columns / 2,
          }),
        ),
        figure(
          answer.similarity,
          rows,
          "similarity of any two timesteps",
          say("similarity of any two timesteps"),
          say(
            "how alike the network's time vectors are: t from 0 to {last} both ways; white alike, black opposite (cosine, mean removed)",
            { last },
          ),
        ),
      ),
    );
    words.textContent = say("The same vector is added to every pixel of every block.");
  }
  async function ask() {
    if (!state.digit || !state.noise) return;
    const mine = ++question;
    title.textContent = props.value.nodes.find((node) => node.id === state.stage)?.title ?? state.stage;
    words.textContent = say("computing …");
    const answer = await answerTo(
      server.inside({
        network: props.value.network,
        stage: state.stage,
        x_t: encodeFloat32(mixture()),
        alpha_bar: alphaBarAt(),
      }),
    );
    if (mine !== question) return;
    equation.replaceChildren(...formula(answer.equation ?? ""));
    source.textContent = answer.source ?? "";
    if (answer.error) {
      words.textContent = answer.error;
      pictures.replaceChildren();
      return;
    }
    if (answer.flow) run(answer.flow);
    if (answer.rows) showMaps(answer);
    else showTime(answer);
  }
  subscribe(all, settled(ask));
  watch("value", () => {
    drawDiagram();
    ask();
  });
  drawDiagram();
  ask();
}
