// Open a tab from anywhere in the page.

/**
 * Press the button of the tab with that name, as `TABS` in ui/tab_table.py has it; false while the page has none.
 * @param {string} name
 */
export function openTab(name) {
  const tab = document.getElementById(`tab-${name}-button`);
  tab?.click();
  if (tab) scrollTo({ top: 0 });
  return Boolean(tab);
}
