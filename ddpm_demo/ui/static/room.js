// At the foot of the page: the address of this very screen for others in the room, and its QR code, when somebody asks.
import { answerTo, NO_ANSWER, placeIn } from "./component.js";
import { decodeBytes } from "./bytes.js";
import { h } from "./dom.js";
import { takeHostKey } from "./keys.js";
import { paintGrid } from "./paint.js";
import { say } from "./words.js";

/** @type {import("./component.js").Server[string] | null} */
let invite = null; // asks the server

/** @type {Set<() => void>} */
const waiting = new Set();
/** Call `run` once the address for others can be asked for. */
export function onRoom(/** @type {() => void} */ run) {
  if (invite) run();
  else waiting.add(run);
}

/**
 * The address under which others in the room open what this browser has under its own; the own one if there is none.
 * @param {string} address
 * @returns {Promise<string>}
 */
export async function addressForOthers(address) {
  try {
    return (await invite?.({ address }))?.address ?? address;
  } catch {
    return address; // the server has stopped
  }
}

/**
 * The address for others, and its QR code drawn on a canvas; `{alone}` or `{error}`, a sentence, where there is none.
 * @param {string} address
 * @param {HTMLCanvasElement} code
 */
export async function inviteTo(address, code) {
  if (!invite) return { error: NO_ANSWER };
  const answer = await answerTo(invite({ address }));
  code.hidden = !answer.address;
  if (!answer.address) return answer;
  paintGrid(code, decodeBytes(answer.levels), 1, answer.size, 0);
  code.setAttribute("aria-label", say("QR code of {address}", { address: answer.address }));
  return answer;
}

/** A canvas for a QR code. */
export const qrCanvas = (/** @type {string} */ name) =>
  h("canvas", {
    width: 1,
    height: 1,
    role: "img",
    class: "ddpm-pixels ddpm-room-code",
    hidden: true,
    "data-name": name,
  });

/** @type {import("./component.js").Mount} */
export function mount(element, props, watch, server) {
  takeHostKey();
  invite = server.invite;
  for (const run of waiting) run();
  const words = h("p", { role: "status" });
  const code = qrCanvas("room-code");
  const details = h(
    "details",
    {
      class: "ddpm-room",
      ontoggle: () => {
        if (details.open) show();
      },
    },
    h("summary", {}, say("Open this screen on other devices")),
    words,
    code,
  );
  placeIn(element).replaceChildren(details);
  addEventListener("ddpm-address", () => {
    if (details.open) show();
  }); // what is shown is the screen as it is now

  async function show() {
    const address = location.href,
      answer = await inviteTo(address, code);
    if (address !== location.href) return; // another answer is on its way
    words.textContent = answer.address ?? answer.alone ?? answer.error;
  }
}
