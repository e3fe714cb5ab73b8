// Where films are made: on the visitor's own device, or by the server. Kept by the browser, from visit to visit.
import { placeIn } from "../component.js";
import { select } from "../dom.js";

const KEY = "ddpm-where";
const PLACES = {
  automatic: "whichever is quicker",
  device: "this device",
  server: "the server",
};

/** @returns {keyof typeof PLACES} */
export function chosenPlace() {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === "device" || kept === "server") return kept;
  } catch {
    // a browser may keep nothing
  }
  return "automatic";
}

/** @type {import("../component.js").Mount} */
export function mount(element) {
  const choice = select("films are made by", PLACES, () => {
    try {
      localStorage.setItem(KEY, choice.input.value);
    } catch {
      // then it holds until the page is closed
    }
  });
  choice.input.value = chosenPlace();
  placeIn(element).replaceChildren(choice.element);
}
