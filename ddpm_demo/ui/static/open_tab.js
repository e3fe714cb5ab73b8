// Open a tab from anywhere in the page.

/** Press the button of the tab with that name; false while the page has none. */
export function openTab(name) {
  const tabs = [...document.querySelectorAll('button[role="tab"]')];
  const tab = tabs.find((each) => each.textContent.trim() === name && each.checkVisibility());
  tab?.click();
  if (tab) scrollTo({ top: 0 });
  return Boolean(tab);
}
