// What the network sees: its eps_hat for the x_t on the screen, painted beside it (`guesses.js`), and in words. This device
// answers while the drag goes on; where it cannot, the server answers once the drag has come to rest.
import { answerTo } from "../component.js";
import { decodeFloat32, encodeFloat32 } from "../bytes.js";
import { networkHere } from "./network_here.js";
import { h, select } from "../dom.js";
import { perCent } from "../figures.js";
import { guesses } from "./guesses.js";
import { paintFloats } from "../paint.js";
import { savableFigure } from "../png.js";
import { alphaBarAt, known, mixture, state } from "../state.js";
import { inRow, say } from "../words.js";

export function makeNetworkPanel(server) {
  const error = h("canvas", {
    width: 28,
    height: 28,
    role: "img",
    class: "ddpm-pixels",
    "data-name": "error",
    "aria-label": say("the error of its guess, |ε̂ − ε|"),
  });
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "network" });
  const which = select(say("checkpoint"), {}, () => {
    follow();
    ask();
  });
  let wanted = false; // this device's own network
  let question = 0; // the latest: a new drag makes every answer on its way too old
  const here = networkHere(server);
  let answering = false,
    newer = false;

  /** The picture on the screen has changed: this device answers at once, if it has the network. */
  function follow() {
    question++;
    if (here.ready(which.input.value)) {
      answerNow();
      return;
    }
    guesses.wait();
    fetchNetwork();
    if (element.classList.contains("ddpm-waiting")) return; // a drag says so sixty times a second
    element.classList.add("ddpm-waiting");
    words.textContent = say("waiting for you to stop dragging …");
  }
  /** Have this device fetch the network: for who drags, not for who passes by. */
  async function fetchNetwork() {
    wanted = true;
    if (await here.prepare(which.input.value)) answerNow();
  }
  async function answerNow() {
    newer = true;
    if (answering) return;
    answering = true;
    try {
      while (newer) {
        newer = false;
        const asked = onScreen();
        const answer = await here.look(which.input.value, asked.x_t, asked.alphaBar);
        show(answer, asked);
        element.dataset.answers = String(Number(element.dataset.answers ?? 0) + 1);
      }
    } catch {
      here.giveUp(); // the server answers from now on
    }
    answering = false;
  }
  const onScreen = () => ({ x_t: mixture(), alphaBar: alphaBarAt(), eps: known().noise.eps });
  /** The picture on the screen stays for now: say in words what the network makes of it. */
  async function ask() {
    const mine = ++question,
      name = which.input.value,
      asked = onScreen();
    words.textContent = say("computing …");
    const said = wanted ? await here.lookOnceReady(name, asked.x_t, asked.alphaBar) : null;
    const { x_t, alphaBar } = asked;
    const answer =
      said ?? (await answerTo(server.look({ x_t: encodeFloat32(x_t), alpha_bar: alphaBar, checkpoint: name || null })));
    if (mine !== question) return;
    element.classList.remove("ddpm-waiting");
    if (answer.error) {
      words.textContent = answer.error;
      return;
    }
    const mse = show(answer, asked);
    const { checkpoint, milliseconds, held_out: usual } = answer;
    const sentences = [
      usual === null
        ? say("Of the noise it misses {missed}.", { missed: perCent(mse) })
        : say(
            "Of the noise it misses {missed}; on {count:,} test digits it is {usual} on average for t from {first} to {last}.",
            {
              missed: perCent(mse),
              count: answer.held_out_digits,
              usual: perCent(usual),
              first: answer.tenth[0],
              last: answer.tenth[1],
            },
          ),
      answer.here
        ? say("{checkpoint} answered in {milliseconds:.0f} ms on your device.", { checkpoint, milliseconds })
        : here.why()
          ? say("{checkpoint} answered in {milliseconds:.0f} ms, on the server: {why}.", {
              checkpoint,
              milliseconds,
              why: here.why(),
            })
          : say("{checkpoint} answered in {milliseconds:.0f} ms.", { checkpoint, milliseconds }),
    ];
    if (state.schedule !== "linear")
      sentences.push(
        say(
          "The network was trained on the linear schedule, so it was told t = {t}, where that schedule has as much signal.",
          { t: answer.t },
        ),
      );
    words.textContent = inRow(sentences);
  }
  /** Paint an answer about a picture; returns its mean squared error. */
  function show(answer, { x_t, alphaBar, eps }) {
    const eps_hat = typeof answer.eps_hat === "string" ? decodeFloat32(answer.eps_hat) : answer.eps_hat;
    const signal = Math.sqrt(alphaBar),
      noise = Math.sqrt(1 - alphaBar);
    const errors = eps_hat.map((value, i) => Math.abs(value - eps[i]));
    paintFloats(error, errors, 0, 1);
    guesses.show(
      x_t.map((value, i) => (value - noise * eps_hat[i]) / signal),
      eps_hat,
    );
    element.classList.remove("ddpm-waiting");
    return errors.reduce((sum, value) => sum + value * value, 0) / errors.length;
  }
  /** Offer these checkpoints, {name: label}; the chosen one stays chosen. */
  function offer(checkpoints) {
    const chosen = which.input.value;
    which.fill(checkpoints);
    which.input.value = chosen in checkpoints ? chosen : (Object.keys(checkpoints)[0] ?? "");
    which.element.hidden = Object.keys(checkpoints).length < 2;
  }
  const element = h(
    "div",
    { class: "ddpm-network" },
    h("h3", {}, say("What the network sees")),
    which.element,
    h(
      "div",
      { class: "ddpm-pictures ddpm-small-pictures" },
      savableFigure(error, say("the error of its guess, |ε̂ − ε|"), "error"),
    ),
    words,
  );
  return { element, ask, follow, offer };
}
