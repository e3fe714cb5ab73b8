// How a film comes from the server, and what the page says of it meanwhile. A new press ends the film before it.
import { rootPath } from "../component.js";
import { duration } from "../dom.js";
import { openEvents } from "../events.js";
import { allReceived, receiveMessage, setFilm } from "./film_state.js";

// not randomUUID: a page that is not on this very computer may not have it
const visitor = [...crypto.getRandomValues(new Uint8Array(12))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");
/** @type {ReturnType<typeof openEvents> | null} */
let events = null;

const address = (/** @type {Record<string, string>} */ more) =>
  `${rootPath()}/ddpm/film?${new URLSearchParams({ visitor, ...more })}`;
const clock = (/** @type {number} */ seconds) => new Date(1000 * seconds).toLocaleTimeString();

/**
 * How long it will take, in words.
 * @param {{before: number, films: number, seconds: number | null, trouble?: string}} place
 */
function placeWords({ before, films, seconds, trouble }) {
  if (trouble) return trouble;
  const time = seconds === null ? "how long it takes is being measured" : `about ${duration(seconds)} to the end`;
  if (films <= 1) return time;
  return before ? `place ${before + 1} of ${films} that take turns, ${time}` : `${films} films take turns, ${time}`;
}
/** @param {{from: string, made: number}} source */
function sourceWords({ from, made }) {
  if (from === "memory") return `from memory: computed here at ${clock(made)}`;
  if (from === "joined") return `others are watching the same film, computed once for all since ${clock(made)}`;
  return `it was started earlier, at ${clock(made)}, and goes on`;
}

/**
 * Ask for a film; `say(text)` shows a sentence, `ended()` is called once when nothing more will come. `why` says in words
 * why the server makes it.
 * @param {any} settings
 * @param {{say: (text: string) => void, ended: () => void}} listener
 * @param {string} [why]
 */
export function openServerFilm(settings, { say, ended }, why = "") {
  events?.close();
  setFilm({ run: null, source: why, remembered: false, fault: "" });
  const end = () => {
    events = null;
    ended();
  };
  /** @type {Record<string, (got: any) => void>} */
  const takes = {
    message: (got) => receiveMessage(got, wanted),
    place: (place) => setFilm({ note: placeWords(place) }),
    source: (from) =>
      setFilm({ source: [sourceWords(from), why].filter(Boolean).join(" · "), remembered: from.from === "memory" }),
    full: ({ note }) => say(note),
    refused: ({ error }) => say(error),
    over: () => {
      mine.close(); // before the server's end of the stream is taken for a broken connection, and asked for again
      allReceived().then(() => wanted() && end());
    },
  };
  const mine = (events = openEvents((more) => address({ settings: JSON.stringify(settings), ...more }), {
    take: (name, got) => takes[name]?.(got),
    silent: () => say("The server does not answer; this page keeps asking."),
    lost: () => {
      say("The server did not give this film: reload the page.");
      end();
    },
  }));
  const wanted = () => events === mine;
}

/** End the film: what has arrived stays in the page. */
export function closeServerFilm() {
  if (!events) return;
  events.close();
  events = null;
  fetch(address({}), { method: "DELETE", keepalive: true }).catch(() => {}); // it ends by itself, a little later
}
