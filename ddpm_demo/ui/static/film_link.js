// A link to a film opens the Generate tab, where Python has set the film's settings.
const TAB = "Generate";
const PATIENCE = 10_000; // milliseconds until the tabs are there

/** Click a tab's button, behind the button with the dots if the page is narrow; false while there is none. */
function openTab() {
  const named = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.textContent.trim() === TAB);
  const tab = named('button[role="tab"]').find((each) => each.checkVisibility({ visibilityProperty: true }));
  const target = tab ?? named(".overflow-dropdown button")[0];
  target?.click();
  return Boolean(target);
}

export function mount(element) {
  element.querySelector(".ddpm-mount").replaceChildren();
  if (!new URL(location.href).searchParams.has("film")) return;
  const begun = performance.now();
  const attempt = () => { if (!openTab() && performance.now() - begun < PATIENCE) setTimeout(attempt, 100); };
  attempt();
}
