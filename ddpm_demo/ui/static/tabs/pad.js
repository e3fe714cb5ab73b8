// A digit of the student's own: drawn with mouse, touch, pen or keys, or read from a picture file.
import { answerTo } from "../component.js";
import { button, h, newId, sentence } from "../dom.js";
import { base64Of, makeInk } from "./ink.js";
import { makeSheet } from "./sheet.js";
import { say } from "../words.js";

const MAX_BYTES = 5_000_000; // the server refuses more, and needs not be sent it to say so

/**
 * `onDigit` gets what the server made of the drawing.
 * @param {import("../component.js").Server} server
 * @param {(digit: Record<string, any>) => void} onDigit
 */
export function makePad(server, onDigit) {
  const ink = makeInk({
    onDrawn: () => read(askAbout(ink.file()), false),
    tell: (text) => {
      words.textContent = text;
    },
  });
  const sheet = makeSheet({ read: (question) => read(question, true), use: onDigit });
  const words = h("p", { class: "ddpm-facts", role: "status" });

  function clear() {
    ink.clear();
    words.textContent = "";
    sheet.hide();
  }

  let asked = 0; // only the answer to the newest question counts
  /** @param {Promise<string>} file */
  const askAbout = async (file) => ({ file: await file });
  /**
   * @param {Record<string, any> | Promise<Record<string, any>>} asking
   * @param {boolean} show
   */
  async function read(asking, show) {
    const mine = ++asked;
    words.textContent = say("reading …");
    const question = await asking;
    if (mine !== asked) return;
    const answer = await answerTo(server.read_picture(question));
    if (mine !== asked) return;
    const doubt = answer.error || answer.question;
    words.textContent = doubt
      ? sentence(doubt)
      : say("Scaled into 20×20 and centred by its mass in 28×28, as MNIST's digits were.");
    if (answer.error) {
      if (!question.box) sheet.hide();
      return;
    }
    if (show || doubt) sheet.show(answer);
    if (!doubt) onDigit(answer);
  }
  const file = h("input", {
    type: "file",
    accept: "image/png,image/jpeg,image/webp,image/gif,image/bmp",
    id: newId("file"),
    onchange: () => {
      const chosen = file.files?.[0];
      if (!chosen) return;
      if (chosen.size > MAX_BYTES) {
        words.textContent = say("{file} is {size:.1f} MB; the limit is {limit} MB.", {
          file: chosen.name,
          size: chosen.size / 1e6,
          limit: MAX_BYTES / 1e6,
        });
        return;
      }
      const reader = new FileReader();
      reader.onload = () => read({ file: base64Of(String(reader.result)) }, true);
      reader.onerror = () => {
        words.textContent = say("{file} could not be opened.", { file: chosen.name });
      };
      reader.readAsDataURL(chosen);
    },
  });
  return h(
    "details",
    { class: "ddpm-details" },
    h("summary", {}, say("A digit of your own: draw it or upload a picture")),
    ink.row(
      say("Draw one digit with mouse, finger or pen."),
      button(say("Clear the pad"), clear),
      h(
        "p",
        {},
        h(
          "label",
          { for: file.id },
          say("or a picture (PNG, JPEG, WebP, GIF or BMP; at most {limit} MB):", { limit: MAX_BYTES / 1e6 }),
        ),
        " ",
        file,
      ),
      words,
    ),
    sheet.element,
  );
}
