// The page's modules without Gradio: what `browser_component` in ui/parts/bridge.py does for them there.
import { h } from "../dom.js";

/**
 * Mount a module in a new element with this id, inside `place`.
 * @param {Element} place
 * @param {string} id
 * @param {import("../component.js").Mount} mount
 * @param {{value?: any, server?: import("../component.js").Server, trigger?: import("../component.js").Trigger}} [given]
 * @returns {(value: any) => void} that gives the module a newer value
 */
export function mounted(place, id, mount, { value = null, server = {}, trigger = () => {} } = {}) {
  const element = h("div", { id }, h("div", { class: "ddpm-mount" }));
  const props = { value };
  /** @type {(() => void)[]} */
  const watching = [];
  place.append(element);
  mount(element, props, (_, run) => watching.push(run), server, trigger);
  return (newer) => {
    props.value = newer;
    for (const run of watching) run();
  };
}

/** A piece of prose that Python has made HTML of. */
export function prose(/** @type {string} */ html, /** @type {Record<string, any>} */ attributes = {}) {
  const element = h("div", { class: "ddpm-lesson prose", ...attributes });
  element.innerHTML = html;
  return element;
}
