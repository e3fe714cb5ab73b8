// How a film comes to the page: as server-sent events. One stream a page; a new press ends the film before it.
import { rootPath } from "../component.js";
import { duration } from "../dom.js";
import { allReceived, receiveMessage, setFilm } from "./film_state.js";

// not randomUUID: a page that is not on this very computer may not have it
const visitor = [...crypto.getRandomValues(new Uint8Array(12))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");
/** @type {EventSource | null} */
let source = null;

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
  return from === "memory"
    ? `from memory: computed here at ${clock(made)}`
    : `others watch the same film: it is computed once, since ${clock(made)}`;
}

/**
 * Ask for a film; `say(text)` shows a sentence, `ended()` is called once when nothing more will come.
 * @param {any} settings
 * @param {{say: (text: string) => void, ended: () => void}} told
 */
export function openFilm(settings, { say, ended }) {
  source?.close();
  const mine = (source = new EventSource(address({ settings: JSON.stringify(settings) })));
  const wanted = () => source === mine;
  let inLine = false;
  /**
   * @param {string} name
   * @param {(got: any) => void} take
   */
  const on = (name, take) =>
    mine.addEventListener(name, (event) => {
      if (wanted()) take(JSON.parse(event.data));
    });
  const end = () => {
    source = null;
    ended();
  };
  setFilm({ run: null, source: "", remembered: false });
  on("message", (got) => receiveMessage(got, wanted));
  on("place", (place) => setFilm({ note: placeWords(place) }));
  on("source", (from) => setFilm({ source: sourceWords(from), remembered: from.from === "memory" }));
  on("full", ({ note }) => {
    inLine = true;
    say(note);
  });
  on("refused", ({ error }) => say(error));
  on("over", () => {
    mine.close(); // before the server's end of the stream is taken for a broken connection, and asked for again
    allReceived().then(() => wanted() && end());
  });
  mine.addEventListener("error", () => {
    if (!wanted() || inLine) return; // whoever stands in line is sent away and comes back
    if (mine.readyState === EventSource.CLOSED) {
      say("The server did not give this film: reload the page.");
      end();
    } else say("The server does not answer; this page goes on asking.");
  });
}

/** End the film: what has arrived stays in the page. */
export function closeFilm() {
  if (!source) return;
  source.close();
  source = null;
  fetch(address({}), { method: "DELETE", keepalive: true }).catch(() => {}); // it ends by itself, a little later
}
