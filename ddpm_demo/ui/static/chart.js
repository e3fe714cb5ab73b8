// A Plotly chart that keeps its zoom, wears the page's colours, and can carry a cursor at the shared t.
import { h } from "./dom.js";
import { onSharedT, setSharedT, sharedT } from "./shared.js";
import { makeSlider } from "./slider.js";

let plotly = null;

/** Load the plotly.min.js of the installed plotly package, once. */
function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const root = window.gradio_config?.root ?? "";
    document.head.append(h("script", { src: root + url, onload: () => resolve(window.Plotly), onerror: reject }));
  });
  return plotly;
}

/** The page's own colours, light or dark, for a figure that brings none. */
function colours(element) {
  const style = getComputedStyle(element);
  const text = style.getPropertyValue("--body-text-color").trim();
  const line = style.getPropertyValue("--border-color-primary").trim();
  return { text, line };
}

export async function mount(element, props, watch) {
  const place = h("div", { class: "ddpm-chart", role: "img" });
  const facts = h("p", { class: "ddpm-facts", "aria-live": "polite" });
  const parts = [place, facts];
  let slider = null;
  if (props.value.cursor) {
    slider = makeSlider({
      label: "timestep t",
      help: "The dotted line stands at t, the same t as on the Noise tab.",
      max: props.value.cursor.length - 1,
      value: sharedT(),
      describe: (t) => `t = ${t}`,
      onInput: (t) => { setSharedT(t, follow); cursor(); },
    });
    parts.unshift(slider.element);
  }
  element.querySelector(".ddpm-mount").replaceChildren(...parts);
  const Plotly = await loadPlotly(props.value.plotly);

  function draw() {
    const { figure, label } = props.value;
    const { text, line } = colours(element);
    const layout = structuredClone(figure.layout);
    Object.assign(layout, {
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: text, family: "inherit" },
      uirevision: "keep", autosize: true,
      legend: { orientation: "h", y: 1.12 }, hoverlabel: { font: { color: "#111" }, bgcolor: "#fff" },
    });
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
      Object.assign(layout[name], { gridcolor: line, zerolinecolor: line, linecolor: line });
    }
    place.setAttribute("aria-label", label);
    Plotly.react(place, structuredClone(figure.data), layout, { responsive: true, displaylogo: false });
    cursor();
  }
  function cursor() {
    if (!slider) return;
    const t = slider.value();
    facts.textContent = props.value.cursor[t];
    // one line across all rows: a shape on the x axis and on the height of the paper
    const shape = { type: "line", xref: "x", yref: "paper", x0: t, x1: t, y0: 0, y1: 1, line: { dash: "dot", width: 2, color: "#888888" } };
    if (place.layout) Plotly.relayout(place, { shapes: [...(props.value.figure.layout.shapes ?? []), shape] });
  }
  const follow = (t) => { slider?.set(t); cursor(); };
  onSharedT(follow);
  watch("value", draw);
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  draw();
}
