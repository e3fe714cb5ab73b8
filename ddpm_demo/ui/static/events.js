// The events of one film, or of one run: by a stream from the server, or by polling where something in between holds
// streams back until they are complete (some proxies, some virus scanners), or the browser has no connection left.
import { report } from "./in_order.js";
import { giveStream, takeStream } from "./streams.js";

const FIRST = 3000, // milliseconds without any event, after which a stream is held back
  LATER = 12_000; // ... once there have been some: the server has something to say more often than that
const QUESTIONS = 500; // milliseconds from one short question to the next
const AGAIN = 1000; // ... when the server did not answer
const NAMES = ["here", "message", "place", "source", "full", "refused", "over"];

let heldBack = false; // what held one film's stream back holds the next one's too

/**
 * The events in the text of an answer, and how long it asks to wait, in milliseconds.
 * @param {string} text server-sent events
 */
export function readEvents(text) {
  const events = [];
  /** @type {number | null} */
  let retry = null;
  for (const block of text.split("\n\n")) {
    const fields = new Map(
      block.split("\n").map((line) => {
        const [name, ...rest] = line.split(": ");
        return [name, rest.join(": ")];
      }),
    );
    if (fields.has("retry")) retry = Number(fields.get("retry"));
    const data = fields.get("data");
    if (data !== undefined) events.push({ name: fields.get("event") ?? "message", id: fields.get("id") ?? "", data });
  }
  return { events, retry };
}

/**
 * Ask for the events at an address until they are closed.
 * @param {(more: Record<string, string>) => string} address and more in it
 * @param {{take: (name: string, got: any) => void, silent: () => void, lost: () => void}} on
 *   `take` gets each event; `silent` is called when the server does not answer, and is asked again; `lost` when it answers
 *   with something else: then nothing more will come.
 * @returns {{close: () => void}}
 */
export function openEvents(address, { take, silent, lost }) {
  let closed = false,
    last = "", // the number of the message that came last
    sentAway = false; // to come back later: the end of that answer is no fault
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;
  let suspected = false; // that streams are held back: nothing has come, though the server may answer

  function close() {
    closed = true;
    leaveStream();
  }
  function leaveStream() {
    clearTimeout(timer);
    source?.close();
    if (source) giveStream();
    source = null;
  }
  /** @param {{name: string, id: string, data: string}} event */
  function got({ name, id, data }) {
    if (closed) return;
    if (id) last = id;
    sentAway = name === "full";
    if (name === "here") return;
    try {
      take(name, JSON.parse(data));
    } catch (fault) {
      report(fault); // one event that makes no sense costs none of the next
    }
  }
  function giveUp() {
    close();
    lost();
  }
  /** @param {number} milliseconds */
  function expectWithin(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(() => askInstead(milliseconds === FIRST), milliseconds);
  }
  /** @param {boolean} suspect */
  function askInstead(suspect) {
    suspected = suspect;
    leaveStream();
    ask();
  }
  function listen() {
    const mine = (source = new EventSource(address(last ? { after: last } : {})));
    expectWithin(FIRST);
    for (const name of NAMES) {
      mine.addEventListener(name, (event) => {
        if (source !== mine) return;
        expectWithin(LATER);
        got({ name, id: event.lastEventId, data: event.data });
      });
    }
    mine.addEventListener("error", () => {
      if (source !== mine) return;
      // refused, or a proxy has taken the type off the answer, without which a browser reads no stream
      if (mine.readyState === EventSource.CLOSED) askInstead(true);
      else if (!sentAway) silent();
      sentAway = false; // the next one is no end of an answer
    });
  }
  async function ask() {
    let wait = QUESTIONS;
    try {
      const answer = await fetch(address({ poll: "1", ...(last ? { after: last } : {}) }), {
        headers: { Accept: "text/event-stream" }, // to the letter: a proxy may go by it
        cache: "no-store",
      });
      if (closed) return;
      if (!answer.ok) return giveUp();
      const { events, retry } = readEvents(await answer.text());
      if (closed) return;
      if (!events.length) return giveUp(); // the server always says something: this is another's page
      heldBack ||= suspected;
      events.forEach(got);
      if (sentAway && retry !== null) wait = retry;
    } catch {
      if (closed) return;
      suspected = false; // it was the server
      silent();
      wait = AGAIN;
    }
    if (!closed) timer = setTimeout(ask, wait);
  }
  async function begin() {
    const stream = !heldBack && (await takeStream());
    if (closed) {
      if (stream) giveStream();
    } else if (stream) listen();
    else ask();
  }
  begin();
  return { close };
}
