// A part of the page inside Gradio: what it is given, and where it draws.
import { say } from "./words.js";

/**
 * `value` is what Python sent last; `watch("value", run)` calls `run` when there is a newer one; `server` has Python's
 * functions; `trigger` calls one of Python's listeners; `given` is what Python gave once and for all.
 * @typedef {{value: any, options?: [text: string, value: string][]}} Props
 * @typedef {(name: keyof Props, run: () => void) => void} Watch
 * @typedef {Record<string, (question: any) => Promise<any>>} Server
 * @typedef {(event: string, value?: any) => void} Trigger
 * @typedef {(element: HTMLElement, props: Props, watch: Watch, server: Server, trigger: Trigger, given?: any) => void} Mount
 */

/**
 * Where the module draws, inside Gradio's own element.
 * @param {Element} element
 */
export const placeIn = (element) => /** @type {HTMLElement} */ (element.querySelector(".ddpm-mount"));

export const NO_ANSWER = say("the server did not answer; is it still running?");

/**
 * Python's answer, or why there is none: a question that fails is an answer with an `error`, in words.
 * @param {Promise<any>} asked
 * @returns {Promise<any>}
 */
export const answerTo = (asked) => asked.catch(() => ({ error: NO_ANSWER }));

/** The path under which a proxy shows the app, without a slash at its end; nothing without a proxy. */
export const rootPath = () => /** @type {string} */ (/** @type {any} */ (window).gradio_config?.root ?? "");
