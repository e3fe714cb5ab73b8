// What a student sees while Gradio's code is still loading: the Noise tab's stage, which needs none of it. It is the
// real one, and moves into Gradio's page when that is ready, with whatever has been done to it meanwhile.
import { readDecimalCommas } from "./decimal_comma.js";
import { h } from "./dom.js";
import { openTab } from "./open_tab.js";
import { makeNoiseStage } from "./tabs/noise_stage.js";

const ID = "first-screen";
/** @type {ReturnType<typeof makeNoiseStage> | null} */
let stage = null;
/** @type {HTMLStyleElement | null} */
let style = null;
/** @type {string | null} */
let wanted = null; // the tab that was pressed meanwhile

/** Show it, unless the address asks for something of its own. */
export async function showFirstScreen() {
  readDecimalCommas();
  /** @type {{components: {type: string, props: any}[], css: string, title: string, theme_hash: string} | undefined} */
  const config = /** @type {any} */ (window).gradio_config;
  if (!config) return;
  const { components, css, title, theme_hash } = config;
  const value = components.find(({ props }) => props.elem_id === "noise-view")?.props.value;
  const query = new URL(location.href).searchParams,
    theme = query.get("__theme");
  if (!value || [...query.keys()].some((name) => name !== "__theme")) return;
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.toggle("dark", dark);
  await new Promise((resolve) => {
    // Gradio asks for the same file a moment later
    document.head.append(
      h("link", { rel: "stylesheet", href: `./theme.css?v=${theme_hash}`, onload: resolve, onerror: resolve }),
    );
  });
  if (document.querySelector("gradio-app .ddpm-mount")) return; // Gradio was quicker
  stage = makeNoiseStage(value);
  style = h("style", {}, css);
  document.head.append(style);
  /** @type {string} */
  const lead = components.find(({ props }) => props.elem_classes?.includes("ddpm-lead"))?.props.value ?? "";
  const sentence = h("p", {}, ...lead.split("*").map((part, k) => (k % 2 ? h("em", {}, part) : part)));
  /** @type {HTMLButtonElement[]} */
  const tabs = components
    .filter(({ type }) => type === "tabitem")
    .map(({ props }, k) =>
      h(
        "button",
        {
          type: "button",
          class: k ? "" : "selected",
          onclick: (/** @type {MouseEvent} */ event) => {
            wanted = props.elem_id.replace("tab-", "");
            for (const tab of tabs) tab.classList.toggle("selected", tab === event.target);
          },
        },
        props.label,
      ),
    );
  document.body.append(
    h(
      "div",
      { id: ID, class: "gradio-container" },
      h(
        "div",
        { class: "main" },
        h("h1", {}, title),
        h("div", { class: "ddpm-first-tabs" }, ...tabs),
        h("div", { class: "ddpm-lead" }, sentence),
        h("div", { class: "ddpm-mount" }, stage.element),
      ),
    ),
  );
}

/**
 * Move the stage into Gradio's page and return it; null if there is none. A slider that is held is let go first.
 * @param {Element} place
 */
export function takeFirstScreen(place) {
  const screen = document.getElementById(ID);
  if (!stage) screen?.remove();
  if (!stage || !screen) return null;
  const { element } = stage;
  const move = () => {
    const focused = screen.contains(document.activeElement) ? document.activeElement : null;
    place.replaceChildren(element);
    screen.remove();
    style?.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    if (wanted) openTab(wanted);
  };
  if (element.querySelector("input:active")) addEventListener("pointerup", () => setTimeout(move), { once: true });
  else move();
  return stage;
}
