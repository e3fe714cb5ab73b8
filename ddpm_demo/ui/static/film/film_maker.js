// Who makes a film, this device or the server: whichever is quicker, unless the visitor has chosen.
import { loadOnDevice } from "../device.js";
import { planOf } from "../network_files.js";
import { DeviceFilm, secondsOnDevice } from "./device_film.js";
import { allReceived, setFilm } from "./film_state.js";
import { closeServerFilm, openServerFilm } from "./film_stream.js";
import { chosenPlace } from "./where.js";

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
  const { film, why } = await planFor(settings);
  if (mine.signal.aborted) return;
  if (!film) {
    openServerFilm(settings, listener, why);
    return;
  }
  try {
    await new DeviceFilm(film).make(mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return;
    openServerFilm(settings, listener, `your device could not make it (${wordsOf(error)}): the server makes it`);
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

/**
 * The plan of a film, if this device is to make it; if not, why not.
 * @param {any} settings
 * @returns {Promise<{film: import("./device_film.js").FilmPlan | null, why: string}>}
 */
async function planFor(settings) {
  const place = chosenPlace();
  if (place === "server") return { film: null, why: "" };
  try {
    const film = await planOf(settings);
    if (film.error) return { film: null, why: "" }; // the server says it once more, where everybody looks
    if (film.only_server) return { film: null, why: `made by the server: ${film.only_server}` };
    if (place === "automatic" && film.server.here) return { film: null, why: "" };
    await Promise.all([film.network, film.guide].filter(Boolean).map(loadOnDevice));
    if (place === "device") return { film, why: "" };
    const seconds = await secondsOnDevice(film);
    return { film: film.server.seconds === null || seconds <= film.server.seconds ? film : null, why: "" };
  } catch (error) {
    return { film: null, why: `made by the server: your device cannot (${wordsOf(error)})` };
  }
}

/** @param {any} error */
const wordsOf = (error) => String(error?.message ?? error);
