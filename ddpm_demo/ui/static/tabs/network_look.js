// What the network sees: its eps_hat for the x_t on the screen, asked for once the drag has come to rest.
import { answerTo } from "../component.js";
import { decodeFloat32, encodeFloat32 } from "../bytes.js";
import { h, number, select } from "../dom.js";
import { paintFloats } from "../paint.js";
import { pngButton } from "../png.js";
import { alphaBarAt, known, mixture, state } from "../state.js";

export function makeNetworkPanel(server) {
  const names = {
    eps_hat: "its guess of the noise, ε̂",
    error: "its error |ε̂ − ε|",
    x0_hat: "the digit that implies, x̂₀",
  };
  const canvases = Object.fromEntries(
    Object.keys(names).map((name) => [
      name,
      h("canvas", {
        width: 28,
        height: 28,
        role: "img",
        class: "ddpm-pixels",
        "data-name": name,
        "aria-label": names[name],
      }),
    ]),
  );
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "network" });
  const which = select("checkpoint", {}, () => {
    forget();
    ask();
  });
  let question = 0; // the latest: a new drag makes every answer on its way too old

  function forget() {
    question++;
    if (element.classList.contains("ddpm-waiting")) return; // a drag says so sixty times a second
    element.classList.add("ddpm-waiting");
    words.textContent = "waiting for you to stop dragging …";
  }
  async function ask() {
    const mine = ++question;
    const { digit, noise: drawn } = known();
    const x_t = mixture(),
      alphaBar = alphaBarAt(),
      { x0 } = digit,
      { eps } = drawn;
    words.textContent = "computing …";
    const answer = await answerTo(
      server.look({ x_t: encodeFloat32(x_t), alpha_bar: alphaBar, checkpoint: which.input.value || null }),
    );
    if (mine !== question) return;
    element.classList.remove("ddpm-waiting");
    if (answer.error) {
      words.textContent = answer.error;
      return;
    }
    const eps_hat = decodeFloat32(answer.eps_hat);
    const signal = Math.sqrt(alphaBar),
      noise = Math.sqrt(1 - alphaBar);
    const error = eps_hat.map((value, i) => Math.abs(value - eps[i]));
    const mse = error.reduce((sum, value) => sum + value * value, 0) / error.length;
    paintFloats(canvases.eps_hat, eps_hat);
    paintFloats(canvases.error, error, 0, 1);
    paintFloats(
      canvases.x0_hat,
      x0.map((_, i) => (x_t[i] - noise * eps_hat[i]) / signal),
    );
    const usual =
      answer.held_out === null
        ? ""
        : `; on ${answer.held_out_digits.toLocaleString("en")} test digits it is ${answer.held_out.toPrecision(3)} on average for t from ${answer.tenth[0]} to ${answer.tenth[1]}`;
    const other =
      state.schedule === "linear"
        ? ""
        : ` The network was trained on the linear schedule, so it was told t = ${answer.t}, where that has as much signal.`;
    words.textContent =
      `Mean squared error ${mse.toPrecision(3)}${usual}. ` +
      `${answer.checkpoint} answered in ${number(answer.milliseconds, 0)} ms.${other}`;
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
    h("h3", {}, "What the network sees"),
    which.element,
    h(
      "div",
      { class: "ddpm-pictures ddpm-small-pictures" },
      ...Object.entries(names).map(([name, caption]) =>
        h(
          "figure",
          {},
          canvases[name],
          h(
            "figcaption",
            {},
            caption,
            " ",
            pngButton(canvases[name], () => name),
          ),
        ),
      ),
    ),
    words,
  );
  return { element, ask, forget, offer };
}
