// Who makes a film, this device or the server: whichever is quicker, unless the visitor has chosen.
import { planOf } from "../network_files.js";
import { DeviceFilm } from "./device_film.js";
import { allReceived, setFilm } from "./film_state.js";
import { closeServerFilm, openServerFilm } from "./film_stream.js";
import { notHere, plannedHere } from "./planned_here.js";

/** @type {AbortController | null} */
let making = null; // of the film that this page wants now, wherever it is made

/**
 * Make a film, or have it made; `say(text)` shows a sentence, `ended()` is called once when nothing more will come.
 * A new press ends the film before it.
 * @param {any} settings
 * @param {{say: (text: string) => void, ended: () => void}} listener
 */
export async function openFilm(settings, listener) {
  making?.abort();
  closeServerFilm();
  const mine = (making = new AbortController());
  setFilm({ run: null, source: "", remembered: false });
  const { planned: film, why } = await plannedHere(
    () => planOf(settings),
    (plan) => [plan],
  );
  if (mine.signal.aborted) return;
  if (!film) {
    openServerFilm(settings, listener, why);
    return;
  }
  try {
    await new DeviceFilm(film).make(mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return;
    openServerFilm(settings, listener, notHere(error));
    return;
  }
  await allReceived();
  if (!mine.signal.aborted) listener.ended();
}

/** End the film, wherever it is made: what has arrived stays in the page. */
export function closeFilm() {
  making?.abort();
  making = null;
  closeServerFilm();
}
