// Look at the page again after it has changed: in an idle moment, and never while somebody waits for something else.
const LATER = 400; // milliseconds from a change of the page until it is looked at, with all that has changed since

/**
 * Call `look` now and whenever something came into the page or may have been unfolded in it.
 * @param {() => void} look
 */
export function whenChanged(look) {
  let due = false;
  const idle = window.requestIdleCallback ?? ((/** @type {() => void} */ run) => setTimeout(run, 1));
  function soon() {
    if (due) return; // however much moves: one look at most in this time
    due = true;
    setTimeout(() => {
      due = false;
      idle(look);
    }, LATER);
  }
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  for (const deed of ["click", "toggle", "keyup"]) document.addEventListener(deed, soon, true);
  soon();
}
