// How a film comes from the server, and what the page says of it meanwhile. A new press ends the film before it.
import { rootPath } from "../component.js";
import { duration } from "../dom.js";
import { openEvents } from "../events.js";
import { language, say } from "../words.js";
import { allReceived, receiveMessage, setFilm } from "./film_state.js";

// not randomUUID: a page that is not on this very computer may not have it
const visitor = [...crypto.getRandomValues(new Uint8Array(12))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");
/** @type {ReturnType<typeof openEvents> | null} */
let events = null;

const address = (/** @type {Record<string, string>} */ more) =>
  `${rootPath()}/ddpm/film?${new URLSearchParams({ visitor, ...more })}`;
const clock = (/** @type {number} */ seconds) => new Date(1000 * seconds).toLocaleTimeString(language);

/**
 * How long it will take, in words.
 * @param {{before: number, films: number, seconds: number | null, trouble?: string}} place
 */
function placeWords({ before, films, seconds, trouble }) {
  if (trouble) return trouble;
  const time =
    seconds === null
      ? say("how long it takes is being measured")
      : say("about {duration} to the end", { duration: duration(seconds) });
  if (films <= 1) return time;
  const told = { place: before + 1, films, time };
  return before
    ? say("place {place} of {films} that take turns, {time}", told)
    : say("{films} films take turns, {time}", told);
}
/** @param {{from: string, made: number}} source */
function sourceWords({ from, made }) {
  const told = { clock: clock(made) };
  if (from === "memory") return say("from memory: computed here at {clock}", told);
  if (from === "joined") return say("others are watching the same film, computed once for all since {clock}", told);
  return say("it was started earlier, at {clock}, and goes on", told);
}

/**
 * Ask for a film; `say(text)` shows a sentence, `ended()` is called once when nothing more will come. `why` says in words
 * why the server makes it.
 * @param {any} settings
 * @param {{say: (text: string) => void, ended: () => void}} listener
 * @param {string} [why]
 */
export function openServerFilm(settings, { say: tell, ended }, why = "") {
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
    full: ({ note }) => tell(note),
    refused: ({ error }) => tell(error),
    over: () => {
      mine.close(); // before the server's end of the stream is taken for a broken connection, and asked for again
      allReceived().then(() => wanted() && end());
    },
  };
  const mine = (events = openEvents((more) => address({ settings: JSON.stringify(settings), ...more }), {
    take: (name, got) => takes[name]?.(got),
    silent: () => tell(say("The server does not answer; this page keeps asking.")),
    lost: () => {
      tell(say("The server did not give this film: reload the page."));
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
