// What a perfect network would answer to the x_t on the screen: the training digits' mean, weighted by Bayes' rule.
import { decodeBytes, decodeFloat32, encodeFloat32 } from "../bytes.js";
import { h, number } from "../dom.js";
import { perCent } from "../figures.js";
import { formula } from "../maths.js";
import { paintFloats, paintGrid } from "../paint.js";
import { alphaBarAt, known, mixture } from "../state.js";

const HEAVIEST = 5;
const percent = (share) =>
  share > 0.9995 ? "100 %" : share < 0.001 ? "under 0.1 %" : `${(100 * share).toPrecision(2)} %`;

/** @param {import("../component.js").Server} server */
export function makeIdealPanel(server) {
  const pixels = (name) =>
    h("canvas", { width: 28, height: 28, role: "img", class: "ddpm-pixels", "data-name": name, "aria-label": name });
  const answer = pixels("ideal_x0_hat");
  const heaviest = Array.from({ length: HEAVIEST }, (_, k) => ({
    canvas: pixels(`heaviest ${k + 1}`),
    caption: h("figcaption", {}),
  }));
  const words = h("p", { class: "ddpm-facts", "aria-live": "polite", "data-name": "ideal" });
  let question = 0; // the latest: a new drag makes every answer on its way too old

  function forget() {
    question++;
    if (!element.open || element.classList.contains("ddpm-waiting")) return;
    element.classList.add("ddpm-waiting");
    words.textContent = "waiting for you to stop dragging …";
  }
  async function ask() {
    if (!element.open) return;
    const mine = ++question;
    const { eps } = known().noise;
    const x_t = mixture(),
      alphaBar = alphaBarAt();
    words.textContent = "comparing with 60,000 digits …";
    const got = await server
      .ideal_answer({ x_t: encodeFloat32(x_t), alpha_bar: alphaBar })
      .catch(() => ({ error: "the server did not answer; is it still running?" }));
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
      caption.textContent = `${percent(got.share[k])}: training digit ${got.index[k].toLocaleString("en")}, a ${got.label[k]}`;
      canvas.setAttribute("aria-label", caption.textContent);
    });
    const error = (i) => (x_t[i] - Math.sqrt(alphaBar) * x0_hat[i]) / Math.sqrt(1 - alphaBar) - eps[i];
    const mse = x_t.reduce((sum, _, i) => sum + error(i) ** 2, 0) / x_t.length;
    const [first] = got.share;
    const together = got.share.reduce((sum, share) => sum + share, 0);
    const what =
      first > 0.5
        ? `One digit of the ${got.digits.toLocaleString("en")} weighs ${percent(first)}: the perfect answer is ${first > 0.9 ? "nearly" : "mostly"} that digit, not yours.`
        : `${first < 0.001 ? "No digit weighs even 0.1 %" : `No digit weighs more than ${percent(first)}`}, the five heaviest together ${percent(together)}: the perfect answer is a mean of many.`;
    const mean =
      got.mean === null
        ? ""
        : ` With so much noise it is the mean of all training digits: their correlation is ${number(got.mean, 2)}, and that of ${got.beside}'s x̂₀ with the mean ${number(got.beside_mean, 2)}.`;
    words.textContent =
      `${what}${mean} Up to t = ${got.half} one training digit has more than half of the weight for most of ${got.test_digits} test digits. The perfect answer misses ${perCent(mse)} of the noise: compare the network's above. ` +
      `Computed in ${number(got.milliseconds, 0)} ms.`;
    element.dataset.first = first;
  }
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ddpm-details ddpm-ideal", ontoggle: () => ask() },
      h("summary", {}, "What would a perfect network answer?"),
      h(
        "p",
        {},
        "Training has one best answer: the mean of all training digits, each weighted by how well it explains xₜ. " +
          "A network that reached the lowest possible loss would give exactly this answer.",
      ),
      h(
        "div",
        { class: "ddpm-pictures ddpm-ideal-pictures" },
        h("figure", {}, answer, h("figcaption", {}, h("b", {}, ...formula("the perfect x̂₀")))),
        ...heaviest.map(({ canvas, caption }) => h("figure", {}, canvas, caption)),
      ),
      words,
      h(
        "p",
        { class: "ddpm-small" },
        ...formula("x̂₀ = Σ wᵢ xᵢ, with wᵢ in proportion to exp(− (|xₜ − √ᾱₜ xᵢ|²) / (2(1 − ᾱₜ)))"),
        ": Bayes' rule for the mixture above, if the training digits ",
        ...formula("xᵢ"),
        " are all the pictures there are.",
      ),
    )
  );
  return { element, ask, forget };
}
