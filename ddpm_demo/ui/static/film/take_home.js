// Take the film home: files, a link, a program.
import { answerTo } from "../component.js";
import { button, h } from "../dom.js";
import { film } from "./film_state.js";
import { filmCsv } from "./files.js";
import { decodeBytes } from "../bytes.js";

const FILES = {
  gif: "GIF of the film",
  png: "PNG of the digits",
  npz: "npz of the numbers",
  csv: "CSV of the grey levels",
};

export function makeTakeHome(server) {
  const linked = Boolean(server.take_home); // the lab has no server, and so no address
  const note = h(
    "p",
    { class: "ddpm-help", role: "status" },
    `Everything about the film on the screen, for your own computer; the ${linked ? "link" : "program"} draws it again.`,
  );
  const text = h("pre", { class: "ddpm-code", hidden: true, tabindex: 0, "aria-label": "text to copy" });

  async function ask(kind) {
    if (!film.run) {
      note.textContent = "Press Generate first: there is no film yet.";
      return null;
    }
    if (kind === "csv") return csv();
    const asked = film.device ? film.device.takeHome(kind, film) : server.take_home({ kind, run: film.run });
    const answer = await answerTo(asked);
    if (answer.error) {
      note.textContent = answer.error;
      return null;
    }
    return answer;
  }
  /** The film as it is on the screen, whoever has made it. */
  function csv() {
    const { seed, n, frames } = film,
      rows = frames.length * n;
    const note = `${rows} rows, one a frame and digit: t, or −1 when it is clean, and 784 grey levels`;
    return { file: filmCsv(film), name: `ddpm-seed-${seed}.csv`, type: "text/csv", note };
  }
  async function save(kind) {
    const answer = await ask(kind);
    if (!answer) return;
    const bytes = typeof answer.file === "string" ? decodeBytes(answer.file) : answer.file;
    const url = URL.createObjectURL(new Blob([bytes], { type: answer.type }));
    h("a", { href: url, download: answer.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    note.textContent = `${answer.name}, ${(bytes.length / 1000).toFixed(0)} kB${answer.note ? `: ${answer.note}` : ""}`;
  }
  async function show(kind) {
    const answer = await ask(kind);
    if (!answer) return;
    let content = answer.text;
    if (kind === "link") {
      const address = new URL(location.pathname, location.href);
      address.searchParams.set("film", answer.text);
      content = address.href;
    }
    text.hidden = false;
    text.textContent = content;
    // a page that is not served over https may not touch the clipboard: then it is there to be copied by hand
    const copied = await navigator.clipboard?.writeText(content).then(
      () => true,
      () => false,
    );
    note.textContent = copied ? "Copied." : "Select the text below to copy it.";
  }
  return h(
    "div",
    {},
    h("h2", {}, "Take it home"),
    h(
      "div",
      { class: "ddpm-row" },
      ...Object.entries(FILES).map(([kind, label]) => button(label, () => save(kind))),
      ...(linked ? [button("Link to this film", () => show("link"))] : []),
      button("Python program", () => show("python")),
    ),
    note,
    text,
  );
}
