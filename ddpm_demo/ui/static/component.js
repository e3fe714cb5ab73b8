// A part of the page that Gradio holds: what it is given, and where it stands.

/**
 * `value` is what Python sent last; `watch("value", run)` calls `run` when there is a newer one; `server` has Python's
 * functions; `trigger` calls one of Python's listeners.
 * @typedef {{value: any}} Props
 * @typedef {(name: "value", run: () => void) => void} Watch
 * @typedef {Record<string, (question: any) => Promise<any>>} Server
 * @typedef {(event: string, value?: any) => void} Trigger
 * @typedef {(element: HTMLElement, props: Props, watch: Watch, server: Server, trigger: Trigger) => void} Mount
 */

/**
 * Where the module draws, inside Gradio's own element.
 * @param {Element} element
 */
export const placeIn = (element) => /** @type {HTMLElement} */ (element.querySelector(".ddpm-mount"));

/** The path under which a proxy shows the app, without a slash at its end; nothing without a proxy. */
export const rootPath = () => /** @type {string} */ (/** @type {any} */ (window).gradio_config?.root ?? "");
