// The queue of the Train tab: whoever starts a run while another trains may let theirs wait, and leave again.
import { answerTo } from "../component.js";
import { button, h } from "../dom.js";
import { keepKey, myKeys } from "../keys.js";

const runs = (/** @type {number} */ count) => (count === 1 ? "1 run waits" : `${count} runs wait`);

/**
 * Return the panel; `take` is given each answer of the server, `offer` a function that lets the visitor's run wait.
 * @param {import("../component.js").Server} server
 * @param {() => void} changed called when the server should be asked again
 */
export function makeQueue(server, changed) {
  let latest = { busy: "", yours: false, host: false, queue: { waiting: 0, place: null, name: "" } };
  /** @type {(() => Promise<any>) | null} */
  let joining = null; // what the visitor was offered
  const words = h("p", { role: "status" });
  const fault = h("p", { class: "ddpm-note", role: "alert", hidden: true });
  const buttons = {
    join: button("Queue my run", join, { class: "ddpm-button ddpm-primary" }),
    refuse: button("Not now", () => {
      joining = null;
      describe();
    }),
    leave: button("Leave the queue", () => tell({ action: "leave" })),
    clear: button("Clear the queue", () => tell({ action: "clear" })),
  };
  const element = h(
    "section",
    { class: "ddpm-queue", "aria-label": "queue of runs", hidden: true },
    words,
    fault,
    h("div", { class: "ddpm-row" }, ...Object.values(buttons)),
  );

  async function tell(question) {
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
    if (answer.queue.fault) showFault(`Your run could not start: ${answer.queue.fault}.`);
    describe();
  }
  function showFault(text = "") {
    fault.textContent = text;
    fault.hidden = !text;
  }
  function sentence() {
    const { queue, busy, yours } = latest;
    const watch = busy && !yours ? "Your class is training: watch it learn. " : "",
      itself = "starts by itself, even if you close this page.";
    if (joining) return `${watch || "A run is training now. "}Yours can wait in the queue: it ${itself}`;
    if (queue.place) {
      const name = queue.name ? ` ${queue.name}` : "";
      return `${watch}Your run${name} is number ${queue.place} of ${queue.waiting} in the queue. It ${itself}`;
    }
    const others = queue.waiting ? `${runs(queue.waiting)} in the queue. ` : "";
    if (!watch) return others;
    return `${watch}Only whoever started it, or the host, can stop it. ${others}Press Start training, and yours can wait in the queue.`;
  }
  function describe() {
    const { queue, host } = latest,
      said = sentence();
    if (words.textContent !== said) words.textContent = said;
    buttons.join.textContent = queue.place ? "Queue this one instead" : "Queue my run";
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
