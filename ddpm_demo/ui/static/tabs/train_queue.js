// The queue of the Train tab: whoever starts a run while another trains may let theirs wait, and leave again.
import { answerTo } from "../component.js";
import { button, h } from "../dom.js";
import { keepKey, myKeys } from "../keys.js";
import { inRow, say } from "../words.js";

/**
 * Return the panel; `take` is given each answer of the server, `offer` a function that lets the visitor's run wait.
 * @param {import("../component.js").Server} server
 * @param {() => void} changed called when the server should be asked again
 */
export function makeQueue(server, changed) {
  let latest = { busy: "", yours: false, host: false, queue: { waiting: 0, place: null, name: "", most_pause: null } };
  /** @type {(() => Promise<any>) | null} */
  let joining = null; // what the visitor was offered
  const words = h("p", { role: "status" });
  const fault = h("p", { class: "ddpm-note", role: "alert", hidden: true });
  const buttons = {
    join: button(say("Queue my run"), join, { class: "ddpm-button ddpm-primary" }),
    refuse: button(say("Not now"), () => {
      joining = null;
      describe();
    }),
    leave: button(say("Leave the queue"), () => askFor({ action: "leave" })),
    clear: button(say("Clear the queue"), () => askFor({ action: "clear" })),
  };
  const element = h(
    "section",
    { class: "ddpm-queue", "aria-label": say("queue of runs"), hidden: true },
    words,
    fault,
    h("div", { class: "ddpm-row" }, ...Object.values(buttons)),
  );

  async function askFor(question) {
    const answer = await answerTo(server.wait({ ...question, keys: myKeys() }));
    showFault(answer.error);
    changed();
  }
  async function join() {
    if (!joining) return;
    buttons.join.disabled = true;
    const answer = await answerTo(joining());
    buttons.join.disabled = false;
    keepKey(answer.key);
    showFault(answer.error);
    if (!answer.error) joining = null;
    describe();
    changed();
  }
  function take(answer) {
    latest = answer;
    if (!answer.busy && !answer.queue.waiting) joining = null; // nobody has to wait any more: Start starts it
    if (answer.queue.fault) showFault(say("Your run could not start: {why}.", { why: answer.queue.fault }));
    describe();
  }
  function showFault(text = "") {
    fault.textContent = text;
    fault.hidden = !text;
  }
  function sentences() {
    const { queue, busy, yours } = latest,
      others = busy && !yours,
      said = others ? [say("Your class is training: watch it learn.")] : [];
    if (joining) {
      if (!others) said.push(say("A run is training now."));
      said.push(say("Yours can wait in the queue: it starts by itself, even if you close this page."));
    } else if (queue.place) {
      said.push(
        queue.name
          ? say("Your run {name} is number {place} of {waiting} in the queue.", queue)
          : say("Your run is number {place} of {waiting} in the queue.", queue),
        say("It starts by itself, even if you close this page."),
      );
    } else {
      if (others) said.push(say("Only whoever started it, or the host, can stop it."));
      if (queue.waiting)
        said.push(
          say("{waiting} run waits in the queue.|{waiting} runs wait in the queue.", { waiting: queue.waiting }),
        );
      if (others) said.push(say("Press Start training, and yours can wait in the queue."));
    }
    if (queue.most_pause)
      said.push(
        say("The run here is paused: after {minutes} minutes it is saved and makes way for the next.", {
          minutes: queue.most_pause,
        }),
      );
    return inRow(said);
  }
  function describe() {
    const { queue, host } = latest,
      said = sentences();
    if (words.textContent !== said) words.textContent = said;
    buttons.join.textContent = queue.place ? say("Queue this one instead") : say("Queue my run");
    buttons.join.hidden = buttons.refuse.hidden = !joining;
    buttons.leave.hidden = !queue.place || joining !== null;
    buttons.clear.hidden = !host || !queue.waiting || joining !== null;
    element.hidden = !said && fault.hidden;
  }
  return {
    element,
    take,
    /** @param {() => Promise<any>} ask lets the visitor's run wait, and answers with its key */
    offer(ask) {
      joining = ask;
      showFault();
      describe();
      element.scrollIntoView({ block: "nearest" });
      buttons.join.focus();
    },
  };
}
