// A page over the page, to print or to show on a projector.
import { button, h } from "../dom.js";

/**
 * Lay a page over everything; it closes with its button, Escape or the returned function, and gives the focus back.
 * @param {string} title
 * @param {string} back the words of the button that closes it
 * @param {(HTMLElement | {buttons: HTMLElement[]})[]} content `buttons` stand beside the one that closes it
 */
export function layOver(title, back, ...content) {
  const before = document.activeElement;
  const close = () => {
    sheet.remove();
    if (before instanceof HTMLElement) before.focus();
  };
  const buttons = content.flatMap((each) => ("buttons" in each ? each.buttons : []));
  const heading = h("h1", { tabindex: -1 }, title);
  const sheet = h(
    "section",
    { class: "ddpm-mount ddpm-lesson-sheet", role: "dialog", "aria-modal": "true", "aria-label": title },
    h("div", { class: "ddpm-row ddpm-lesson-screen-only" }, ...buttons, button(back, close)),
    heading,
    ...content.filter((each) => each instanceof HTMLElement),
  );
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  });
  document.body.append(sheet);
  heading.focus();
  return close;
}
