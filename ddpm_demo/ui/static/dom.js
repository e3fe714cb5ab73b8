// Small helpers to build a page out of elements.

/** Make an element: h("p", {class: "note"}, "text", child, ...). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let ids = 0;
export const newId = (stem) => `ddpm-${stem}-${ids++}`;

export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
