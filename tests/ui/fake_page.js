// As much of a browser's page as the modules need to stand in node: elements, events, canvases that keep their pixels.

/** `hides` makes every canvas answer with noise when it is read back. */
export class FakeContext {
  static hides = false;
  painted = null; // the image that was put last
  createImageData(width, height) {
    return { width, height, data: new Uint8ClampedArray(4 * width * height) };
  }
  putImageData(image) {
    this.painted = image;
  }
  getImageData(left, top, width, height) {
    if (!FakeContext.hides) return this.painted;
    const image = this.createImageData(width, height); // as Firefox answers with resistFingerprinting: anything
    image.data.forEach((_, k) => (image.data[k] = (91 * k) % 256));
    return image;
  }
  clearRect() {
    this.painted = null;
  }
}

export class FakeElement extends EventTarget {
  constructor(tag) {
    super();
    Object.assign(this, { tagName: tag, attributes: {}, dataset: {}, children: [], parentElement: null, text: "" });
    this.style = { setProperty() {} };
    this.captured = new Set();
    const classes = (this.classes = new Set());
    this.classList = {
      add: (name) => classes.add(name),
      remove: (name) => classes.delete(name),
      contains: (name) => classes.has(name),
      toggle: (name, on = !classes.has(name)) => (on ? classes.add(name) : classes.delete(name)),
    };
    if (tag === "canvas") this.context = new FakeContext();
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === "class") for (const each of String(value).split(" ")) this.classes.add(each);
    else if (name === "hidden" || name === "disabled") this[name] = true;
    else if (name.startsWith("data-")) this.dataset[name.slice(5)] = String(value);
    else if (["value", "max", "min", "width", "height", "id", "type"].includes(name))
      this[name] = tagKeepsNumbers(this.tagName) ? Number(value) : String(value);
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  append(...children) {
    for (const child of children) {
      if (child instanceof FakeElement) child.parentElement = this;
      this.children.push(child);
    }
  }
  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }
  /** Only what the modules ask for: one class, or one tag. */
  querySelector(selector) {
    for (const child of this.children) {
      if (!(child instanceof FakeElement)) continue;
      if (selector.startsWith(".") ? child.classes.has(selector.slice(1)) : child.tagName === selector) return child;
      const found = child.querySelector(selector);
      if (found) return found;
    }
    return null;
  }
  get textContent() {
    return this.text + this.children.map((child) => child.textContent ?? child).join("");
  }
  set textContent(text) {
    this.children = [];
    this.text = String(text);
  }
  get firstChild() {
    return this.children[0] ?? null;
  }
  getContext() {
    return this.context;
  }
  getBoundingClientRect() {
    return { left: 0, top: 0, width: 280, height: 280 };
  }
  setPointerCapture(id) {
    this.captured.add(id);
  }
  hasPointerCapture(id) {
    return this.captured.has(id);
  }
  click() {
    this.dispatchEvent(new Event("click"));
  }
  focus() {}
}
const tagKeepsNumbers = (tag) => tag === "canvas" || tag === "progress";

/** An event of a pointer as browsers send it; a button is held unless `buttons` says otherwise. */
export function pointer(element, type, x, y, more = {}) {
  const event = new Event(type, { cancelable: true });
  const usual = { pointerId: 1, pointerType: "mouse", button: type === "pointermove" ? -1 : 0, width: 1, height: 1 };
  usual.buttons = type === "pointerup" || type === "pointercancel" ? 0 : 1;
  for (const [name, value] of Object.entries({ ...usual, clientX: x, clientY: y, ...more }))
    Object.defineProperty(event, name, { value });
  element.dispatchEvent(event);
}

/** The element with that `data-name`. */
export function find(element, name) {
  for (const child of element.children ?? []) {
    const found = child.dataset?.name === name ? child : find(child, name);
    if (found) return found;
  }
  return null;
}

/** Wait until something is so; the test fails if it never is. */
export async function until(so) {
  for (let k = 0; k < 2000; k++) {
    if (so()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`it never came: ${so}`);
}

/** A component's element as Gradio makes it. */
export function component() {
  const element = new FakeElement("div");
  const place = new FakeElement("div");
  place.classList.add("ddpm-mount");
  element.append(place);
  return element;
}

/** A component's props and watch: `tell(value)` is a newer value from Python. */
export function fromPython(value) {
  const props = { value };
  const runs = [];
  return {
    props,
    watch: (_, run) => runs.push(run),
    tell(next) {
      props.value = next;
      for (const run of runs) run();
    },
  };
}

globalThis.document = {
  addEventListener() {}, // nobody looks away
  createElement: (tag) => new FakeElement(tag),
  createElementNS: (_, tag) => new FakeElement(tag),
  createTextNode: (text) => text,
  body: new FakeElement("body"),
  head: new FakeElement("head"),
};
globalThis.window = globalThis;
globalThis.matchMedia = () => ({ matches: false });
globalThis.requestAnimationFrame = (run) => setTimeout(() => run(performance.now()), 0);
globalThis.cancelAnimationFrame = (id) => clearTimeout(id);
globalThis.IntersectionObserver = class {
  observe() {}
};
globalThis.getComputedStyle = () => ({ getPropertyValue: () => "" });

/** A stream that a server sends to the page: `streams` has all that were asked for. */
export const streams = [];
globalThis.EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 0;
  constructor(address) {
    super();
    this.address = address;
    streams.push(this);
  }
  close() {
    this.readyState = 2;
  }
  say(name, data, id = "") {
    this.readyState = 1;
    const event = new Event(name);
    Object.assign(event, { data: JSON.stringify(data), lastEventId: id });
    this.dispatchEvent(event);
  }
  cut(state) {
    this.readyState = state;
    this.dispatchEvent(new Event("error"));
  }
};
