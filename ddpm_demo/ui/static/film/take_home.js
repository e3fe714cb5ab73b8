// Take the film home: files, a link, a program.
import { answerTo } from "../component.js";
import { button, h } from "../dom.js";
import { film } from "./film_state.js";
import { filmCsv } from "./files.js";
import { decodeBytes } from "../bytes.js";
import { say } from "../words.js";

const FILES = {
  gif: say("GIF of the film"),
  png: say("PNG of the digits"),
  npz: say("npz of the numbers"),
  csv: say("CSV of the grey levels"),
};

export function makeTakeHome(server) {
  const linked = Boolean(server.take_home); // the lab has no server, and so no address
  const note = h(
    "p",
    { class: "ddpm-help", role: "status" },
    linked
      ? say("Everything about the film on the screen, for your own computer; the link draws it again.")
      : say("Everything about the film on the screen, for your own computer; the program draws it again."),
  );
  const text = h("pre", { class: "ddpm-code", hidden: true, tabindex: 0, "aria-label": say("text to copy") });

  async function ask(kind) {
    if (!film.run) {
      note.textContent = say("Press Generate first: there is no film yet.");
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
    const note = say("{rows} rows, one a frame and digit: t, or −1 when it is clean, and 784 grey levels", { rows });
    return { file: filmCsv(film), name: `ddpm-seed-${seed}.csv`, type: "text/csv", note };
  }
  async function save(kind) {
    const answer = await ask(kind);
    if (!answer) return;
    const bytes = typeof answer.file === "string" ? decodeBytes(answer.file) : answer.file;
    const url = URL.createObjectURL(new Blob([bytes], { type: answer.type }));
    h("a", { href: url, download: answer.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    const told = { name: answer.name, size: bytes.length / 1000, note: answer.note };
    note.textContent = answer.note ? say("{name}, {size:.0f} kB: {note}", told) : say("{name}, {size:.0f} kB", told);
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
    note.textContent = copied ? say("Copied.") : say("Select the text below to copy it.");
  }
  return h(
    "div",
    {},
    h("h2", {}, say("Take it home")),
    h(
      "div",
      { class: "ddpm-row" },
      ...Object.entries(FILES).map(([kind, label]) => button(label, () => save(kind))),
      ...(linked ? [button(say("Link to this film"), () => show("link"))] : []),
      button(say("Python program"), () => show("python")),
    ),
    note,
    text,
  );
}
