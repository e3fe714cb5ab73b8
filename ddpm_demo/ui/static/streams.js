// How many streams this browser reads from the server. Where that speaks HTTP/1.1 a browser has six connections for all of
// its pages together, and a stream keeps one for as long as a film takes: six films, and the seventh page stays white.

const MOST = 3; // streams of one browser
const TURNS = 6, // in which the answers of other pages are heard, however busy this one is
  TURN = 10; // milliseconds
const NAME = "ddpm-film-streams";

/** @type {BroadcastChannel | null} */
let channel = null;
let mine = 0;
let others = 0;

/** Ask the other pages whether there is a stream left for this one, and take it if there is; false if there is none. */
export async function takeStream() {
  if (typeof BroadcastChannel === "undefined") return true;
  if (!channel) {
    channel = new BroadcastChannel(NAME);
    channel.onmessage = ({ data }) => {
      if (data === "who has one?") for (let k = 0; k < mine; k++) channel?.postMessage("I have");
      if (data === "I have") others += 1;
    };
  }
  mine += 1; // whoever asks at the same moment counts this page
  others = 0;
  channel.postMessage("who has one?");
  for (let k = 0; k < TURNS; k++) await new Promise((resolve) => setTimeout(resolve, TURN));
  if (mine + others <= MOST) return true;
  mine -= 1;
  return false;
}

/** Leave a stream to other pages. */
export function giveStream() {
  mine -= 1;
}
