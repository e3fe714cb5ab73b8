// Messages that are unpacked one after the other, and listeners that are told one after the other: an error in one
// of them must not cost the next.

/** Say to whoever looks at the browser's console what went wrong; the page goes on. */
export const report = (/** @type {unknown} */ fault) => console.error(fault);

/**
 * Return a function that runs tasks one after the other, each when those before it have ended. One that fails is told to
 * `failed`, and the next one runs. Its promise is that the task has ended, well or not.
 * @param {(fault: unknown) => void} failed
 */
export function inOrder(failed) {
  /** @type {Promise<void>} */
  let last = Promise.resolve();
  return (/** @type {() => Promise<void> | void} */ task) =>
    (last = last.then(task).catch((fault) => {
      report(fault);
      failed(fault);
    }));
}

/**
 * Tell every listener; one that fails keeps none of the others from hearing it.
 * @template Changes
 * @param {Iterable<(changes: Changes) => void>} listeners
 * @param {Changes} changes
 */
export function tellAll(listeners, changes) {
  for (const listener of listeners) {
    try {
      listener(changes);
    } catch (fault) {
      report(fault);
    }
  }
}
