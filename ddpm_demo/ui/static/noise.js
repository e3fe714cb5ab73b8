// The Noise tab: x_t is computed here, in the page, from x0, eps and the alpha_bar table; a drag asks no server.
import { decodeFloat32, decodeFloat64 } from "./bytes.js";
import { h, newId } from "./dom.js";
import { paintFloats } from "./paint.js";
import { onSharedT, setSharedT, sharedT } from "./shared.js";
import { makeSlider } from "./slider.js";

export function mount(element, props, watch) {
  const pictures = Object.fromEntries(
    [["x0", "the digit x₀"], ["eps", "the noise ε"], ["x_t", "their mixture x_t"]].map(([name, caption]) => [
      name, { canvas: h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name }), caption },
    ]));
  const equation = h("p", { class: "ddpm-equation" });
  const facts = h("p", { class: "ddpm-facts", "aria-live": "polite" });
  const wideId = newId("wide");
  const wide = h("input", { type: "checkbox", id: wideId, onchange: () => paint() });
  let digit = read(props.value);

  const slider = makeSlider({
    label: "timestep t",
    help: "Drag, or use the arrow keys. t = 0 is nearly clean, t = 999 nearly pure noise.",
    max: digit.alphaBar.length - 1,
    value: sharedT(),
    describe: (t) => `t = ${t}`,
    onInput: (t) => { setSharedT(t, follow); paint(); },
  });
  const follow = (t) => { slider.set(t); paint(); };
  onSharedT(follow);

  element.querySelector(".ddpm-mount").replaceChildren(
    slider.element,
    h("div", { class: "ddpm-pictures" },
      ...Object.values(pictures).map(({ canvas, caption }) => h("figure", {}, canvas, h("figcaption", {}, caption)))),
    h("p", { class: "ddpm-small" }, wide, " ", h("label", { for: wideId },
      "show values from −3 to 3 instead of −1 to 1 (noise goes beyond the range of an image; outside, colours are clipped)")),
    equation, facts);

  function paint() {
    const t = slider.value();
    const alphaBar = digit.alphaBar[t];
    const signal = Math.sqrt(alphaBar);
    const noise = Math.sqrt(1 - alphaBar);
    const x_t = new Float32Array(digit.x0.length);
    for (let i = 0; i < x_t.length; i++) x_t[i] = signal * digit.x0[i] + noise * digit.eps[i];
    const reach = wide.checked ? 3 : 1;
    paintFloats(pictures.x0.canvas, digit.x0, -reach, reach);
    paintFloats(pictures.eps.canvas, digit.eps, -reach, reach);
    paintFloats(pictures.x_t.canvas, x_t, -reach, reach);
    const percent = (100 * alphaBar).toPrecision(3);
    const name = `test digit ${digit.index}, a ${digit.label}`;
    pictures.x0.canvas.setAttribute("aria-label", name);
    pictures.eps.canvas.setAttribute("aria-label", `Gaussian noise, seed ${digit.seed}`);
    pictures.x_t.canvas.setAttribute("aria-label", `${name}, t = ${t}, ${percent} % signal`);
    equation.innerHTML = "<var>x</var><sub>t</sub> = √<var>ᾱ</var><sub>t</sub> · <var>x</var><sub>0</sub> + "
      + "√(1 − <var>ᾱ</var><sub>t</sub>) · <var>ε</var> = "
      + `<b data-name="signal">${signal.toFixed(4)}</b> · <var>x</var><sub>0</sub> + `
      + `<b data-name="noise">${noise.toFixed(4)}</b> · <var>ε</var>`;
    facts.textContent = `t = ${t}: ᾱ = ${alphaBar.toPrecision(5)}, so ${percent} % of the variance is signal; `
      + `SNR ${(10 * Math.log10(alphaBar / (1 - alphaBar))).toFixed(1)} dB. ${name}; noise of seed ${digit.seed}.`;
  }
  watch("value", () => { digit = read(props.value); paint(); });
  paint();
}

const read = (value) => ({
  ...value,
  x0: decodeFloat32(value.x0),
  eps: decodeFloat32(value.eps),
  alphaBar: decodeFloat64(value.alpha_bar),
});
