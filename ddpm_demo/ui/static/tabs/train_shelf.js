// The shelf of runs: watch one, resume it, rename it, export it, delete it.
import { answerTo } from "../component.js";
import { decodeBytes } from "../bytes.js";
import { button, h, newId } from "../dom.js";
import { myKeys } from "../keys.js";
import { say } from "../words.js";

/** @param {{watch: (id: string) => void, resume: (id: string) => void, changed: () => void}} actions */
export function makeShelf(server, actions) {
  let allowed = false,
    runs = [],
    shown = "";
  const note = h("p", { class: "ddpm-help", role: "status" });
  const list = h("ul", { class: "ddpm-shelf" });
  const element = h(
    "section",
    { "aria-label": say("runs") },
    h("h3", {}, say("Runs")),
    h(
      "p",
      { class: "ddpm-help" },
      say("Every run that has a checkpoint is in the lists of the Generate, Noise and Network tabs by its name."),
    ),
    list,
    note,
  );

  async function refresh() {
    const answer = await server.shelf({ keys: myKeys() }).catch(() => null);
    if (!answer) return;
    runs = answer.runs;
    const now = JSON.stringify([runs, allowed]);
    if (now === shown) return; // a button under the student's finger stays where it is
    shown = now;
    list.replaceChildren(...(runs.length ? runs.map(item) : [h("li", {}, say("none yet"))]));
  }
  async function change(question) {
    const answer = await answerTo(server.change({ ...question, keys: myKeys() }));
    note.textContent = answer.error ?? "";
    shown = "";
    await refresh();
    actions.changed();
    return answer;
  }
  async function save(run) {
    const answer = await change({ action: "export", run: run.id });
    if (answer.error) return;
    const bytes = decodeBytes(answer.file);
    const url = URL.createObjectURL(new Blob([bytes], { type: answer.type }));
    h("a", { href: url, download: answer.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    note.textContent = say("{file}, {size:.0f} kB: ddpm-demo app --checkpoint {file} opens it anywhere.", {
      file: answer.name,
      size: bytes.length / 1000,
    });
  }
  function item(run) {
    const row = h("div", { class: "ddpm-row" }),
      mine = allowed && run.yours;
    const usual = () =>
      row.replaceChildren(
        button(say("Watch"), () => actions.watch(run.id), { "aria-label": say("watch {name}", { name: run.name }) }),
        ...(mine && !run.locked && !run.finished && !run.fault
          ? [
              button(say("Resume"), () => actions.resume(run.id), {
                "aria-label": say("resume {name}", { name: run.name }),
              }),
            ]
          : []),
        ...(mine ? [button(say("Rename"), rename, { "aria-label": say("rename {name}", { name: run.name }) })] : []),
        ...(run.checkpoint
          ? [button(say("Export"), () => save(run), { "aria-label": say("export {name}", { name: run.name }) })]
          : []),
        ...(mine && !run.locked
          ? [button(say("Delete"), ask, { "aria-label": say("delete {name}", { name: run.name }) })]
          : []),
      );
    function ask() {
      const keep = button(say("Keep it"), usual);
      row.replaceChildren(
        h("span", {}, say("Delete {name} for good?", { name: run.name })),
        button(say("Delete for good"), () => change({ action: "delete", run: run.id }), {
          class: "ddpm-button ddpm-danger",
        }),
        keep,
      );
      keep.focus();
    }
    function rename() {
      const id = newId("name");
      const field = h("input", { id, class: "ddpm-field", value: run.name, maxlength: 40 });
      const done = () => change({ action: "rename", run: run.id, name: field.value });
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") done();
        if (event.key === "Escape") usual();
      });
      row.replaceChildren(
        h("label", { for: id }, say("new name")),
        field,
        button(say("Save the name"), done),
        button(say("Cancel"), usual),
      );
      field.focus();
    }
    usual();
    const state = run.locked
      ? say("being trained")
      : run.fault
        ? say("cannot be resumed: {why}", { why: run.fault })
        : run.finished
          ? say("finished")
          : say("not finished; it can be resumed");
    return h(
      "li",
      { "data-name": run.name },
      h("b", {}, run.name),
      ` · ${state} · ${say("{size:.1f} MB", { size: run.megabytes })}`,
      h("div", { class: "ddpm-small" }, run.words),
      row,
    );
  }
  const name = (id) => runs.find((run) => run.id === id)?.name ?? "";
  return {
    element,
    refresh,
    name,
    allow: (yes) => {
      if (yes !== allowed) {
        allowed = yes;
        shown = "";
        refresh();
      }
    },
  };
}
