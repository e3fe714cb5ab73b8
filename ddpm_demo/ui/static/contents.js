// The index of a long tab. Not real links: the page has a <base>, so a bare #name would lead away from it.
import { placeIn } from "./component.js";
import { h, scrollToTop } from "./dom.js";
import { say } from "./words.js";

/** @param {string} id */
function goTo(id) {
  const section = document.getElementById(id);
  if (!section) return;
  const folded = /** @type {HTMLDetailsElement | null} */ (section.querySelector(".ddpm-mount > details")); // a section that opens on demand
  if (folded) folded.open = true;
  scrollToTop(section);
}

/** @type {import("./component.js").Mount} */
export function mount(element, props) {
  const entries = Object.entries(props.value.sections);
  placeIn(element).replaceChildren(
    h(
      "nav",
      { class: "ddpm-index", "aria-label": say("further down on this page") },
      h("span", {}, say("Further down:")),
      ...entries.map(([id, title]) =>
        h("button", { type: "button", class: "ddpm-link", onclick: () => goTo(id) }, title),
      ),
    ),
  );
}
