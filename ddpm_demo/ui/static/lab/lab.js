// The lab: the page's tabs without a server. Each is built when it is first opened.
import { readDecimalCommas } from "../decimal_comma.js";
import { h } from "../dom.js";
import { listOf, markWords } from "../glossary.js";
import { facts } from "./facts.js";
import { buildGenerateTab } from "./generate_tab.js";
import { buildLessons } from "./lessons.js";
import { buildNoiseTab } from "./noise_tab.js";
import { buildReceptiveTab } from "./receptive_tab.js";
import { buildScheduleTab } from "./schedule_tab.js";
import { say } from "../words.js";

/** @type {Record<string, (place: HTMLElement) => void>} by the tabs' ids, in their order */
const TABS = {
  noise: buildNoiseTab,
  schedule: buildScheduleTab,
  "receptive-field": buildReceptiveTab,
  generate: buildGenerateTab,
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = () => document.body.classList.toggle("dark", dark.matches);
dark.addEventListener("change", paper);
paper();
readDecimalCommas();

const tabs = Object.entries(TABS).map(([id, build]) => {
  const { title, lead } = facts.tabs[id];
  const place = h("div");
  const panel = h("section", {
    id: `tab-${id}`,
    class: "tabitem",
    role: "tabpanel",
    "aria-labelledby": `tab-${id}-button`,
    hidden: true,
  });
  const sentence = h("div", { class: "ddpm-lead prose" });
  sentence.innerHTML = lead;
  panel.append(sentence, place);
  const opener = h(
    "button",
    { type: "button", id: `tab-${id}-button`, role: "tab", "aria-controls": `tab-${id}`, onclick: () => open(id) },
    title,
  );
  return { id, build, place, panel, opener, built: false };
});

/** @param {string} id */
function open(id) {
  for (const tab of tabs) {
    const chosen = tab.id === id;
    tab.panel.hidden = !chosen;
    tab.opener.classList.toggle("selected", chosen);
    tab.opener.setAttribute("aria-selected", String(chosen));
    tab.opener.tabIndex = chosen ? 0 : -1;
    if (chosen && !tab.built) {
      tab.built = true;
      tab.build(tab.place);
    }
  }
}
/** Arrows go from tab to tab, as the pattern of tabs has it. */
function step(/** @type {KeyboardEvent} */ event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = tabs.findIndex(({ opener }) => opener === document.activeElement);
  if (!by || at < 0) return;
  const next = tabs[(at + by + tabs.length) % tabs.length];
  open(next.id);
  next.opener.focus();
}
const list = h("div", { class: "lab-tabs", role: "tablist", "aria-label": say("parts of the lab"), onkeydown: step });
list.append(...tabs.map(({ opener }) => opener));
const foot = h("footer", { class: "lab-foot prose" });
foot.innerHTML = facts.cannot + facts.about;
foot.prepend(listOf(facts.glossary));
const lab = /** @type {HTMLElement} */ (document.getElementById("lab"));
lab.replaceChildren(h("h1", {}, document.title), list, ...tabs.map(({ panel }) => panel), foot);
// Not before the first frame: whoever asks for localStorage sooner, in a page from a disk, is now and then given an empty
// one by Chromium (findings/chromium_disk_page_storage.sh), and the record of the lessons would be lost by a reload.
requestAnimationFrame(() => {
  open("noise");
  buildLessons(lab);
  markWords(facts.glossary);
});
if (facts.files && location.protocol !== "file:")
  navigator.serviceWorker?.register("service_worker.js").catch(() => {}); // then it needs the network next time, too
