// Fields to fill in, as the page's other controls look.
import { h, newId } from "../dom.js";
import { number as written, say } from "../words.js";

/**
 * A labelled field for a whole number. `onNumber` is told of every one that lies from 0 to `most`.
 * @param {string} label
 * @param {number} value
 * @param {number} most
 * @param {(value: number) => void} onNumber
 */
export function wholeNumber(label, value, most, onNumber) {
  const id = newId("number");
  const input = h("input", {
    type: "number",
    id,
    class: "ddpm-field",
    min: 0,
    max: most,
    step: 1,
    value,
    inputmode: "numeric",
    oninput: () => {
      const number = Number(input.value),
        fits = input.value !== "" && Number.isInteger(number) && number >= 0 && number <= most;
      input.setCustomValidity(fits ? "" : say("a whole number from 0 to {most}", { most }));
      input.toggleAttribute("aria-invalid", !fits);
      if (fits) onNumber(number);
    },
  });
  return { element: h("span", { class: "ddpm-row" }, h("label", { for: id }, label), input), input };
}

/**
 * A labelled range with its value written beside it.
 * @param {{label: string, min: number, max: number, step: number, value: number}} range
 * @param {(value: number) => void} onInput
 */
export function rangeField({ label, ...range }, onInput) {
  const id = newId("range");
  const words = h("output", { for: id, class: "ddpm-value" }, String(range.value));
  const input = h("input", {
    type: "range",
    id,
    ...range,
    oninput: () => {
      words.textContent = input.value;
      onInput(Number(input.value));
    },
  });
  const element = h(
    "div",
    { class: "ddpm-slider" },
    h("div", { class: "ddpm-slider-head" }, h("label", { for: id }, label), words),
    input,
  );
  return { element, input };
}
