// A digit of the student's own: drawn with mouse, touch, pen or keys, or read from a picture file.
import { button, h, newId } from "../dom.js";
import { makeSheet } from "./sheet.js";

const SIZE = 280, PEN = 22, KEY_STEP = 10;
const MAX_BYTES = 5_000_000; // the server refuses more, and needs not be sent it to say so

/** `onDigit` gets what the server made of the drawing. */
export function makePad(server, onDigit) {
  const help = newId("pad");
  const canvas = h("canvas", {
    width: SIZE, height: SIZE, class: "ddpm-pad", tabindex: 0, role: "application",
    "aria-label": "drawing pad", "aria-describedby": help,
  });
  const context = canvas.getContext("2d");
  const sheet = makeSheet({ read: (question) => read(question, true), use: onDigit });
  const words = h("p", { class: "ddpm-facts", role: "status" });
  let last = null; // where the pen is while it draws
  let key = { x: SIZE / 2, y: SIZE / 4, down: false };

  function clear() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIZE, SIZE);
    words.textContent = "";
    sheet.hide();
  }
  function line(from, to) {
    Object.assign(context, { strokeStyle: "#fff", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * SIZE, y: ((event.clientY - box.top) / box.height) * SIZE };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) { const next = at(part); line(last, next); last = next; }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => { if (last) { last = null; read(fileOf(canvas.toDataURL("image/png")), false); } });
  }
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    const inside = (value) => Math.min(SIZE - PEN, Math.max(PEN, value));
    const next = by ? { x: inside(key.x + by[0] * KEY_STEP), y: inside(key.y + by[1] * KEY_STEP) } : key;
    const down = by ? key.down : !key.down;
    if (key.down || down) line(key, next);
    if (key.down && !down) read(fileOf(canvas.toDataURL("image/png")), false);
    key = { ...next, down };
    words.textContent = `pen ${down ? "down" : "up"} at ${Math.round(key.x / KEY_STEP)}, ${Math.round(key.y / KEY_STEP)} of 28`;
  });

  let asked = 0; // only the answer to the newest question counts
  async function read(question, show) {
    const mine = ++asked;
    words.textContent = "reading …";
    let answer;
    try {
      answer = await server.read_picture(question);
    } catch {
      answer = { error: "the server did not answer; is it still running?" };
    }
    if (mine !== asked) return;
    const doubt = answer.error || answer.question;
    words.textContent = doubt ? `${doubt[0].toUpperCase()}${doubt.slice(1)}.`
      : "Scaled into 20×20 and centred by its mass in 28×28, as MNIST's digits were.";
    if (answer.error) { if (!question.box) sheet.hide(); return; }
    if (show || doubt) sheet.show(answer);
    if (!doubt) onDigit(answer);
  }
  const fileOf = (dataUrl) => ({ file: dataUrl.slice(dataUrl.indexOf(",") + 1) });
  const file = h("input", {
    type: "file", accept: "image/png,image/jpeg,image/webp,image/gif,image/bmp", id: newId("file"),
    onchange: () => {
      const [chosen] = file.files;
      if (!chosen) return;
      if (chosen.size > MAX_BYTES) { words.textContent = `${chosen.name} has ${(chosen.size / 1e6).toFixed(1)} MB; at most 5 MB are read.`; return; }
      const reader = new FileReader();
      reader.onload = () => read(fileOf(reader.result), true);
      reader.onerror = () => { words.textContent = `${chosen.name} could not be opened.`; };
      reader.readAsDataURL(chosen);
    },
  });
  clear();
  return h("details", { class: "ddpm-details" },
    h("summary", {}, "A digit of your own: draw it or upload a picture"),
    h("div", { class: "ddpm-row ddpm-pad-row" }, canvas,
      h("div", {},
        h("p", { id: help, class: "ddpm-help" }, "Draw one digit with mouse, finger or pen. With the keyboard: arrows move, space puts the pen down and lifts it."),
        button("Clear the pad", clear),
        h("p", {}, h("label", { for: file.id }, "or a picture (PNG, JPEG, WebP, GIF or BMP; at most 5 MB): "), file),
        words)),
    sheet.element);
}
