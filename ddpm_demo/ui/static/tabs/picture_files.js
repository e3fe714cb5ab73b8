// Pictures that a student uploads as drawings: read one after the other, a zip by one question, with a way to stop.
import { answerTo, NO_ANSWER } from "../component.js";
import { button, h, newId } from "../dom.js";
import { openRun } from "../run.js";
import { base64Of } from "./ink.js";
import { inRow, say } from "../words.js";

/**
 * The file field with its bar, its button to stop and the list of what was left out. `add` keeps the drawings of base64
 * text, as many as have room: `count()` of `most` there are. `changed` is called when all files have been read.
 * @param {{mostBytes: number, mostZip: number, server: Record<string, Function>,
 *   tell: (text: string) => void, add: (text: string) => void, most: number, count: () => number, changed: () => void}} page
 */
export function makePictureFiles({ mostBytes, mostZip, server, tell, add, most, count, changed }) {
  let stopped = false;
  let stopZip = () => {};
  const file = h("input", {
    type: "file",
    multiple: true,
    id: newId("files"),
    onchange: () => readFiles([...(file.files ?? [])]),
    accept: "image/png,image/jpeg,image/webp,image/gif,image/bmp,application/zip,.zip",
  });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": say("progress of the reading") });
  const stop = button(
    say("Stop reading"),
    () => {
      stopped = true;
      stopZip();
    },
    { hidden: true },
  );
  const faults = h("ul", { class: "ddpm-small", "aria-label": say("pictures that were left out") });

  const leaveOut = (/** @type {string} */ called, /** @type {string} */ why) =>
    faults.append(h("li", {}, say("{file}: {why}", { file: called, why })));

  /** @returns {Promise<string>} */
  const contentOf = (/** @type {File} */ chosen) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(base64Of(String(reader.result)));
      reader.onerror = () => reject(new Error(say("it could not be opened")));
      reader.readAsDataURL(chosen);
    });
  /** @param {File[]} chosen */
  async function readFiles(chosen) {
    if (!chosen.length) return;
    stopped = false;
    faults.replaceChildren();
    file.disabled = true;
    bar.hidden = stop.hidden = false;
    const before = count(),
      total = chosen.length;
    tell(say("Reading …"));
    for (const [k, each] of chosen.entries()) {
      bar.value = k / total;
      if (stopped || count() >= most) break;
      await (/\.zip$/i.test(each.name) ? readZip(each, k, total) : readPicture(each));
    }
    file.value = "";
    file.disabled = false;
    bar.hidden = stop.hidden = true;
    const left = faults.childElementCount,
      added = count() - before;
    const sentences = stopped ? [say("Stopped.")] : [];
    sentences.push(
      left
        ? say("{added} picture was added, {left} left out.|{added} pictures were added, {left} left out.", {
            added,
            left,
          })
        : say("{added} picture was added.|{added} pictures were added.", { added }),
    );
    if (count() >= most) sentences.push(say("At most {most:,} are learned.", { most }));
    tell(inRow(sentences));
    changed();
  }
  /** @param {File} chosen */
  async function readPicture(chosen) {
    if (chosen.size > mostBytes) {
      leaveOut(
        chosen.name,
        say("it is {size:.1f} MB; the limit is {limit} MB", { size: chosen.size / 1e6, limit: mostBytes / 1e6 }),
      );
      return;
    }
    let answer;
    try {
      answer = await server.read_sign({ file: await contentOf(chosen) });
    } catch (error) {
      answer = { error: (error instanceof Error && error.message) || NO_ANSWER };
    }
    if (answer.error) leaveOut(chosen.name, answer.error);
    else add(answer.pixels);
  }
  /**
   * @param {File} chosen
   * @param {number} k
   * @param {number} total
   */
  async function readZip(chosen, k, total) {
    if (chosen.size > mostZip) {
      leaveOut(
        chosen.name,
        say("it is {size:.0f} MB; this page sends at most {limit} MB", {
          size: chosen.size / 1e6,
          limit: mostZip / 1e6,
        }),
      );
      return;
    }
    let content;
    try {
      content = await contentOf(chosen);
    } catch (error) {
      leaveOut(chosen.name, error instanceof Error ? error.message : say("it could not be opened"));
      return;
    }
    if (stopped) return;
    const { run, error } = await answerTo(server.read_zip({ file: content }));
    if (error) leaveOut(chosen.name, error);
    if (error || stopped) return;
    /** @type {Promise<void>} */
    const read = new Promise((resolve) => {
      const events = openRun(run, {
        take: (got) => {
          add(got.pixels);
          for (const [called, why] of got.faults) leaveOut(called, why);
          bar.value = (k + got.done / got.total) / total;
        },
        say: tell,
        ended: (error) => {
          if (error) leaveOut(chosen.name, error);
          resolve();
        },
      });
      stopZip = () => {
        events.close();
        resolve();
      };
    });
    await read;
    stopZip = () => {};
  }

  return { input: file, bar, stop, faults };
}
