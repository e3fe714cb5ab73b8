// Asking the server until it has an answer.
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Ask the server, again while it says how far it is, and return its answer; `{error}` if it gives none.
 * @param {(done: number) => void} onProgress called with the share that is done
 * @param {() => boolean} goesOn false once nobody waits any more; then the answer is null
 */
export async function askUntilDone(ask, noAnswer, onProgress, goesOn = () => true) {
  while (goesOn()) {
    const answer = await ask().catch(() => ({ error: noAnswer }));
    if (!goesOn()) return null;
    if (answer.done === undefined || answer.error) return answer;
    onProgress(answer.done);
    await wait(250);
  }
  return null;
}
