// Look at the page again after it has changed: at rest, and never while somebody waits for something else.
const QUIET = 400; // milliseconds without a change of the page before it is looked at

/**
 * Call `look` now and whenever something came into the page or may have been unfolded in it.
 * @param {() => void} look
 */
export function whenChanged(look) {
  let timer = 0,
    due = false;
  const idle = window.requestIdleCallback ?? ((/** @type {() => void} */ run) => setTimeout(run, 1));
  function soon() {
    if (due) return; // however much moves: one look at most in this time
    due = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      due = false;
      idle(look);
    }, QUIET);
  }
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  for (const deed of ["click", "toggle", "keyup"]) document.addEventListener(deed, soon, true);
  soon();
}
