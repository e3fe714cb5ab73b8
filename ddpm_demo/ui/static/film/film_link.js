// A link to a film opens the Generate tab, where Python has set the film's settings, and presses Generate: once.
const TAB = "Generate";
const PATIENCE = 300_000; // milliseconds until the tab is there: a busy laptop opens the page slowly, and is not wrong

/** Click a tab's button, behind the button with the dots if the page is narrow; false while there is none. */
function openTab() {
  const named = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.textContent.trim() === TAB);
  const tab = named('button[role="tab"]').find((each) => each.checkVisibility({ visibilityProperty: true }));
  const target = tab ?? named(".overflow-dropdown button")[0];
  target?.click();
  return Boolean(target);
}
/** Press Generate, unless somebody has; false while the film that would show the first frames is not there. */
function pressGenerate() {
  const start = document.querySelector("#generate-start");
  if (!start || !document.querySelector("#generate-film canvas")) return false;
  if (!start.disabled) start.click();
  return true;
}
/** Try until it works, for as long as a page may take to open. */
function soon(attempt) {
  const begun = performance.now();
  const next = () => { if (!attempt() && performance.now() - begun < PATIENCE) setTimeout(next, 100); };
  next();
}

export function mount(element, props, watch) {
  element.querySelector(".ddpm-mount").replaceChildren();
  if (!new URL(location.href).searchParams.has("film")) return;
  soon(openTab);
  let pressed = false;
  // Python says so in the same answer that sets the settings: not before, and not for a link that makes no sense
  const press = () => {
    if (pressed || !props.value?.press) return;
    pressed = true;
    soon(pressGenerate);
  };
  watch("value", press);
  press();
}
