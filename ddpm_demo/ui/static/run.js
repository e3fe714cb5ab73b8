// What the server makes for this page message by message, as `parts/run_stream.py` sends it: a race, a completion, a zip.
import { rootPath } from "./component.js";
import { openEvents } from "./events.js";
import { say } from "./words.js";

/**
 * Ask for a run's messages until it is over or closed; whoever closes it stops it, unless others read it, too.
 * @param {string} run as the server named it
 * @param {{take: (message: any) => void, say: (text: string) => void, ended: (error: string) => void}} on
 *   `take` gets each message; `say` a sentence while the server does not answer; `ended` comes last, with what went wrong
 *   in words, or with "".
 * @returns {{close: () => void}}
 */
export function openRun(run, { take, say: tell, ended }) {
  let error = "";
  const events = openEvents((more) => `${rootPath()}/ddpm/run?${new URLSearchParams({ run, ...more })}`, {
    take: (name, got) => {
      if (name === "message") take(got);
      if (name === "refused") error = got.error;
      if (name !== "over") return;
      events.close(); // before the server's end of the stream is taken for a broken connection, and asked for again
      ended(error);
    },
    silent: () => tell(say("The server does not answer; this page keeps asking.")),
    lost: () => ended(say("the server did not give this: reload the page")),
  });
  return events;
}
