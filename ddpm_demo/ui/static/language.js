// The switch between the page's languages, each called as its speakers call it.
import { h } from "./dom.js";
import { whenChanged } from "./when_changed.js";
import { language, languages, say } from "./words.js";

const GLOBE =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8.5"/><ellipse cx="10" cy="10" rx="4" ry="8.5"/>' +
  '<path d="M1.5 10h17M3 5.5h14M3 14.5h14"/></svg>';

/** A list of languages, if there is more than one: the page opens again in the one that is chosen. */
export function makeLanguageSwitch() {
  if (Object.keys(languages).length < 2) return [];
  const options = Object.entries(languages).map(([code, name]) =>
    h("option", { value: code, lang: code, selected: code === language }, name),
  );
  const select = /** @type {HTMLSelectElement} */ (
    h("select", { class: "ddpm-language", "aria-label": say("Language") }, ...options)
  );
  select.addEventListener("change", () => {
    const address = new URL(location.href);
    address.searchParams.set("lang", select.value);
    location.assign(address);
  });
  const place = h("span", { class: "ddpm-language-place" });
  place.innerHTML = GLOBE; // who does not read the page's language looks for it
  place.append(select);
  document.documentElement.classList.add("ddpm-languages"); // the title leaves it room
  return [place];
}

const ENGLISH_OF_GRADIO = /^(number input|range slider) for /; // before a control's own name, as its role says already
const ERROR = say("Error");

/**
 * Take out what Gradio 6 says of its own controls in English, whatever its language is: their roles in their names, a
 * button's name, and beside the mouse the value of a choice, whose words stand there anyway.
 */
export function translateGradio() {
  if (language === "en") return;
  whenChanged(() => {
    document.documentElement.lang = language; // Gradio says English for a language that it has no words of
    for (const input of document.querySelectorAll("input[aria-label*=' for ']")) {
      const name = input.getAttribute("aria-label") ?? "";
      if (ENGLISH_OF_GRADIO.test(name)) input.setAttribute("aria-label", name.replace(ENGLISH_OF_GRADIO, ""));
    }
    for (const button of document.querySelectorAll("button.reset-button"))
      button.setAttribute("aria-label", say("Back to the recommended value"));
    for (const choice of document.querySelectorAll("input[type=checkbox][title]")) choice.removeAttribute("title");
    for (const title of document.querySelectorAll(".toast-body.error .toast-title-row, .wrap > span.error"))
      if (title.textContent !== ERROR) title.textContent = ERROR; // a change brings the next look about
    for (const close of document.querySelectorAll(".toast-close, .clear-status button"))
      for (const name of ["aria-label", "title"])
        if (close.hasAttribute(name)) close.setAttribute(name, say("Close this message"));
  });
}
