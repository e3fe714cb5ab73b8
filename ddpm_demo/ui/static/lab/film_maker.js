// Films of the lab: this device makes them all. It stands for ../film/film_maker.js there.
import { DeviceFilm } from "../film/device_film.js";
import { allReceived, setFilm } from "../film/film_state.js";
import { planOf } from "./plans.js";
import { say } from "../words.js";

/** @type {AbortController | null} */
let making = null;

/**
 * Make a film; `say(text)` shows a sentence, `ended()` is called once when nothing more will come. A new press ends the
 * film before it.
 * @param {any} settings
 * @param {{say: (text: string) => void, ended: () => void}} told
 */
export async function openFilm(settings, { say: tell, ended }) {
  making?.abort();
  const mine = (making = new AbortController());
  setFilm({ run: null, source: "", remembered: false });
  try {
    await new DeviceFilm(planOf(settings)).make(mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return;
    tell(
      say("This browser could not make the film: {error}.", { error: /** @type {any} */ (error)?.message ?? error }),
    );
    ended();
    return;
  }
  await allReceived();
  if (!mine.signal.aborted) ended();
}

/** End the film: what has arrived stays in the page. */
export function closeFilm() {
  making?.abort();
  making = null;
}
