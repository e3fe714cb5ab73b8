// What a perfect network would answer to the x_t on the screen: the training digits' mean, weighted by Bayes' rule.
import { answerTo } from "../component.js";
import { decodeBytes, decodeFloat32, encodeFloat32 } from "../bytes.js";
import { h, number } from "../dom.js";
import { figure, perCent } from "../figures.js";
import { formula } from "../maths.js";
import { paintFloats, paintGrid } from "../paint.js";
import { alphaBarAt, known, mixture } from "../state.js";
import { inRow, say } from "../words.js";

const HEAVIEST = 5;
const percent = (share) =>
  share > 0.9995
    ? perCent(1)
    : share < 0.001
      ? say("under {percent} %", { percent: 0.1 })
      : say("{percent} %", { percent: figure(100 * share, share < 0.995 ? 2 : 3) });

/** @param {import("../component.js").Server} server */
export function makeIdealPanel(server) {
  const pixels = (name, label = "") =>
    h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name, "aria-label": label });
  const answer = pixels("ideal_x0_hat", say("the perfect x̂₀"));
  const heaviest = Array.from({ length: HEAVIEST }, (_, k) => ({
    canvas: pixels(`heaviest ${k + 1}`, say("heaviest training digit {place}", { place: k + 1 })),
    caption: h("figcaption", {}),
  }));
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "ideal" });
  let question = 0; // the latest: a new drag makes every answer on its way too old

  function forget() {
    question++;
    if (!element.open || element.classList.contains("ddpm-waiting")) return;
    element.classList.add("ddpm-waiting");
    words.textContent = say("waiting for you to stop dragging …");
  }
  async function ask() {
    if (!element.open) return;
    const mine = ++question;
    const { eps } = known().noise;
    const x_t = mixture(),
      alphaBar = alphaBarAt();
    words.textContent = say("comparing with {count:,} digits …", { count: 60000 });
    const got = await answerTo(server.ideal_answer({ x_t: encodeFloat32(x_t), alpha_bar: alphaBar }));
    if (mine !== question) return;
    element.classList.remove("ddpm-waiting");
    if (got.error) {
      words.textContent = got.error;
      return;
    }
    const x0_hat = decodeFloat32(got.x0_hat),
      pictures = decodeBytes(got.pictures);
    paintFloats(answer, x0_hat);
    heaviest.forEach(({ canvas, caption }, k) => {
      paintGrid(canvas, pictures.subarray(784 * k, 784 * (k + 1)), 1, 28, 0);
      caption.textContent = say("{percent}: training digit {index:,}, a {label}", {
        percent: percent(got.share[k]),
        index: got.index[k],
        label: got.label[k],
      });
      canvas.setAttribute("aria-label", caption.textContent);
    });
    const error = (i) => (x_t[i] - Math.sqrt(alphaBar) * x0_hat[i]) / Math.sqrt(1 - alphaBar) - eps[i];
    const mse = x_t.reduce((sum, _, i) => sum + error(i) ** 2, 0) / x_t.length;
    const [first] = got.share;
    const together = got.share.reduce((sum, share) => sum + share, 0);
    const weighs = { digits: got.digits, percent: percent(first), together: percent(together), least: 0.1 };
    const what =
      first > 0.9
        ? say(
            "One digit of the {digits:,} weighs {percent}: the perfect answer is nearly that digit, not yours.",
            weighs,
          )
        : first > 0.5
          ? say(
              "One digit of the {digits:,} weighs {percent}: the perfect answer is mostly that digit, not yours.",
              weighs,
            )
          : first < 0.001
            ? say(
                "No digit weighs even {least} %, the five heaviest together {together}: the perfect answer is a mean of many.",
                weighs,
              )
            : say(
                "No digit weighs more than {percent}, the five heaviest together {together}: the perfect answer is a mean of many.",
                weighs,
              );
    const sentences = [what];
    if (got.mean !== null)
      sentences.push(
        say(
          "With so much noise it is the mean of all training digits: their correlation is {ideal}, and that of {network}'s " +
            "x̂₀ with the mean {networks}.",
          { ideal: number(got.mean, 2), network: got.beside, networks: number(got.beside_mean, 2) },
        ),
      );
    sentences.push(
      say(
        "Up to t = {t} one training digit has more than half of the weight for most of {count} test digits. The perfect " +
          "answer misses {missed} of the noise: compare the network's above.",
        { t: got.half, count: got.test_digits, missed: perCent(mse) },
      ),
      say("Computed in {milliseconds:.0f} ms.", { milliseconds: got.milliseconds }),
    );
    words.textContent = inRow(sentences);
    element.dataset.first = first;
  }
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ddpm-details ddpm-ideal", ontoggle: () => ask() },
      h("summary", {}, say("What would a perfect network answer?")),
      h(
        "p",
        {},
        say(
          "Training has one best answer: the mean of all training digits, each weighted by how well it explains xₜ. " +
            "A network that reached the lowest possible loss would give exactly this answer.",
        ),
      ),
      h(
        "div",
        { class: "ddpm-pictures ddpm-ideal-pictures" },
        h("figure", {}, answer, h("figcaption", {}, h("b", {}, ...formula(say("the perfect x̂₀"))))),
        ...heaviest.map(({ canvas, caption }) => h("figure", {}, canvas, caption)),
      ),
      words,
      h(
        "p",
        { class: "ddpm-small" },
        ...formula(
          say(
            "x̂₀ = Σ wᵢ xᵢ, with wᵢ in proportion to exp(− (|xₜ − √ᾱₜ xᵢ|²) / (2(1 − ᾱₜ))): Bayes' rule for the mixture " +
              "above, if the training digits xᵢ are all the pictures there are.",
          ),
        ),
      ),
    )
  );
  return { element, ask, forget };
}
