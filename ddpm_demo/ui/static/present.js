// Present: the page for a projector, with large text and controls, and the address that others in the room open. It stays
// so in this browser until it is switched off.
import { button, h } from "./dom.js";
import { addressForOthers, onRoom } from "./room.js";
import { say } from "./words.js";

const STORE = "ddpm-present",
  LOOPBACK = /^(localhost|127\.|\[::1\])/;

function kept() {
  try {
    return localStorage.getItem(STORE) === "1";
  } catch {
    return false; // a browser that keeps nothing: it holds for as long as the page is open
  }
}

/** The button, and beside it, while it is on, where others find this page. */
export function makePresent() {
  let on = kept();
  const toggle = button(say("Present"), () => turn(!on), { class: "ddpm-button ddpm-present-button" });
  const address = h("span", { class: "ddpm-present-address", "data-name": "room-address" });
  function turn(/** @type {boolean} */ now) {
    on = now;
    try {
      if (on) localStorage.setItem(STORE, "1");
      else localStorage.removeItem(STORE);
    } catch {
      // see above
    }
    show();
    dispatchEvent(new Event("resize")); // what is drawn to fit is drawn anew
  }
  function show() {
    document.documentElement.classList.toggle("ddpm-present", on);
    toggle.setAttribute("aria-pressed", String(on));
    address.hidden = true;
    if (on) tellAddress();
  }
  async function tellAddress() {
    const found = new URL(await addressForOthers(location.href.split(/[?#]/)[0]));
    address.hidden = !on || !found.host || LOOPBACK.test(found.host);
    address.textContent = found.href.replace(/^https?:\/\//, "").replace(/\/$/, "");
  }
  show();
  onRoom(() => on && tellAddress()); // before that nobody could say
  return { button: toggle, address };
}
