// A class that guesses together: whoever has joined sends guesses and test answers, without a name, in short posts.
import { NO_ANSWER, rootPath } from "../component.js";

/** Whether there is a server, which could have a class. */
export const SERVED = true;

const STORE = "ddpm-class"; // of this tab alone: the next student at the same computer joins anew
const AGAIN = [1000, 4000, 15000]; // milliseconds until an answer is sent again that did not arrive
const PARAMETER = "class"; // of the page's address
/** @type {{code: string, member: string} | null} */
let mine = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** The code that a link brought, which is taken out of the address: a reload asks nobody again. */
export function codeFromLink() {
  const address = new URL(location.href),
    code = address.searchParams.get(PARAMETER);
  if (code === null) return "";
  address.searchParams.delete(PARAMETER);
  history.replaceState(history.state, "", address);
  return code.slice(0, 20);
}

/**
 * Ask the server about its class; `{error}`, in words, if it cannot be, and `{away: true}` with it if nobody answered.
 * @param {"join" | "answer" | "host" | "key"} path
 * @param {Record<string, any>} question
 * @returns {Promise<Record<string, any>>}
 */
export async function askClass(path, question) {
  try {
    const response = await fetch(`${rootPath()}/ddpm/class/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
    return await response.json();
  } catch {
    return { error: NO_ANSWER, away: true };
  }
}

/** The class that this page is in, or null. */
export function myClass() {
  if (!mine) {
    try {
      const found = JSON.parse(sessionStorage.getItem(STORE) ?? "null");
      if (typeof found?.code === "string" && typeof found?.member === "string") mine = found;
    } catch {
      // nothing was kept, or it cannot be read
    }
  }
  return mine;
}
function setClass(/** @type {typeof mine} */ joined) {
  mine = joined;
  try {
    if (joined) sessionStorage.setItem(STORE, JSON.stringify(joined));
    else sessionStorage.removeItem(STORE);
  } catch {
    // a browser that keeps nothing: it holds for as long as the page is open
  }
  for (const listener of listeners) listener();
}
/** Call `run` when this page joins a class or is in none any more. */
export const onClass = (/** @type {() => void} */ run) => void listeners.add(run);
export const leaveClass = () => setClass(null);

/**
 * Join a class; return why not, in words, or nothing.
 * @param {string} code
 */
export async function joinClass(code) {
  const answer = await askClass("join", { code });
  if (answer.error) return answer.error;
  setClass({ code: code.trim().toUpperCase(), member: answer.member });
  return "";
}

/** @type {Record<string, object>} the newest answer to each question: an older one is not sent again */
const newest = {};

/**
 * Send an answer, if this page is in a class; a question's name is `predict` or `question` and its lesson, or the test
 * and the number of the item.
 * @param {string} question
 * @param {any} value
 */
export async function sendAnswer(question, value) {
  const member = myClass()?.member;
  if (!member) return;
  const own = (newest[question] = {});
  for (const pause of [0, ...AGAIN]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (newest[question] !== own || mine?.member !== member) return;
    const answer = await askClass("answer", { member, question, value });
    if (answer.away) continue; // the network is away for a moment
    if (answer.error) setClass(null); // the class has ended
    return;
  }
}
