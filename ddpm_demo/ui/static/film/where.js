// Where films are made: on the visitor's own device, or by the server. Kept by the browser, from visit to visit.
import { placeIn } from "../component.js";
import { select } from "../dom.js";
import { say } from "../words.js";

const KEY = "ddpm-where";
const PLACES = {
  automatic: say("whichever is quicker"),
  device: say("this device"),
  server: say("the server"),
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
  const choice = select(say("films are made by"), PLACES, () => {
    try {
      localStorage.setItem(KEY, choice.input.value);
    } catch {
      // then it holds until the page is closed
    }
  });
  choice.input.value = chosenPlace();
  placeIn(element).replaceChildren(choice.element);
}
