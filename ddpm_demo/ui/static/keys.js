// What this browser may change on a server that others use, too: the runs that it began, each by a key of its own, and,
// for whoever opened the address that the server's terminal shows, everything.
const STORE = "ddpm-keys",
  PARAMETER = "host",
  MOST = 50; // keys: the newest are kept

/** @type {string[]} the newest first */
let keys = [];

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    if (Array.isArray(found)) keys = found.filter((key) => typeof key === "string");
  } catch {
    // a browser that keeps nothing: the keys hold for as long as the page is open
  }
}

/**
 * Keep a key that the server gave.
 * @param {string | undefined} key
 */
export function keepKey(key) {
  if (!key) return;
  read();
  keys = [key, ...keys.filter((other) => other !== key)].slice(0, MOST);
  try {
    localStorage.setItem(STORE, JSON.stringify(keys));
  } catch {
    // see above
  }
}

/** The keys to show with a question that not every visitor may ask. */
export function myKeys() {
  read();
  return keys;
}

/** Take the host's key out of the page's address, so that no link that is made of it hands it on. */
export function takeHostKey() {
  const address = new URL(location.href),
    key = address.searchParams.get(PARAMETER);
  if (!key) return;
  keepKey(key);
  address.searchParams.delete(PARAMETER);
  history.replaceState(history.state, "", address);
}
