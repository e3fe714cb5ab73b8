// The third test, a week or two after the second: the offer to take it, and its link to keep or send to oneself.
import { button, h } from "../dom.js";
import { scoreOf } from "./memory.js";

/** A link to the third test at this very address: another address of the same server would find no earlier results. */
function laterLink() {
  const address = new URL(location.pathname, location.href);
  address.searchParams.set("test", "later");
  return address.href;
}

/** @param {Record<string, string>} words */
export function laterOffer(words) {
  if (scoreOf("later") !== undefined) return h("div", {}); // it has been taken
  const link = laterLink(),
    status = h("p", { class: "ddpm-help", role: "status" }),
    field = h("input", { class: "ddpm-field", value: link, readonly: true, "aria-label": words.later_link });
  async function copy() {
    // a page that is not served over https may not touch the clipboard: then it is there to be copied by hand
    const copied = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    if (!copied) field.select();
    status.textContent = copied ? words.later_copied : words.later_by_hand;
  }
  const share = () => navigator.share({ title: words.later_share_title, url: link }).catch(() => {}); // or thought better of it
  return h(
    "div",
    { class: "ddpm-lesson-later", "data-name": "later-offer" },
    h("h3", {}, words.later_title),
    h("p", {}, words.later_offer),
    field,
    h(
      "div",
      { class: "ddpm-row" },
      button(words.later_copy, copy, { "data-name": "later-copy" }),
      ...("share" in navigator ? [button(words.later_share, share, { "data-name": "later-share" })] : []),
    ),
    status,
  );
}
