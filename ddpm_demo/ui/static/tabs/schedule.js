// The Schedule tab: every table against t in one linked view, and the same digit at the same t under each schedule.
import { makeChart } from "../chart.js";
import { schedulePicker, timestepSlider } from "../controls.js";
import { h, number } from "../dom.js";
import { paintFloats } from "../paint.js";
import { alphaBarAt, mixture, readValue, state, subscribe, update } from "../state.js";

export function mount(element, props, watch) {
  update(readValue(props.value));
  const chart = makeChart((x) => {
    const last = state.tables[state.schedule].alphaBar.length - 1;
    update({ t: Math.min(last, Math.max(0, Math.round(x))) });
  });
  const pictures = h("div", { class: "ddpm-pictures ddpm-small-pictures" });
  const all = h("div", {},
    timestepSlider("The grey line stands at t, the same t as on the Noise tab; the line can be dragged too."),
    h("div", { class: "ddpm-row" }, schedulePicker()),
    pictures, chart.element);
  element.querySelector(".ddpm-mount").replaceChildren(all);

  function figureOf(name) {
    const { alphaBar, beta, text } = state.tables[name];
    const t = state.t;
    const canvas = h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name });
    const caption = h("figcaption", {});
    if (t < alphaBar.length) {
      if (state.digit && state.noise) paintFloats(canvas, mixture(alphaBarAt(t, name)));
      const snr = 10 * Math.log10(alphaBar[t] / (1 - alphaBar[t]));
      caption.textContent = `${text ?? name}: ᾱ = ${alphaBar[t].toPrecision(4)}, β = ${beta[t].toPrecision(4)}, SNR ${number(snr, 1)} dB`;
    } else {
      caption.textContent = `${text ?? name}: ends at t = ${alphaBar.length - 1}`;
    }
    canvas.setAttribute("aria-label", caption.textContent);
    return h("figure", {}, canvas, caption);
  }
  function paint() {
    pictures.replaceChildren(...Object.keys(state.tables).map(figureOf));
    chart.setCursor(state.t);
  }
  subscribe(all, paint);
  watch("value", () => { update(readValue(props.value)); chart.draw(props.value); });
  paint();
  chart.draw(props.value);
}
