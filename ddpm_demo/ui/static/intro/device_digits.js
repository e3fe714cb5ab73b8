// Digits that this device draws for the introduction: by the server's plan, as every film of the device.
import { loadOnDevice } from "../device.js";
import { planOf } from "../network_files.js";

/** @typedef {import("../net/walk.js").Step} Step */
/** @typedef {import("../film/device_film.js").FilmPlan} FilmPlan */

/**
 * The plan of a film of these settings, its networks on this device. Broken, in words, where that cannot be.
 * @param {any} settings
 * @returns {Promise<FilmPlan>}
 */
export async function planHere(settings) {
  const film = await planOf(settings);
  if (film.error || film.only_server) throw new Error(film.error || film.only_server);
  await Promise.all([film.network, film.guide].filter(Boolean).map(loadOnDevice));
  return film;
}
