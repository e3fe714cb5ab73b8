// The part of the lessons' list that joins a class, and for the host opens one.
import { button, h, newId } from "../dom.js";
import { myKeys } from "../keys.js";
import { showClassScreen } from "./class_screen.js";
import { askClass, joinClass, leaveClass, myClass, onClass, SERVED } from "./live.js";
import { fill } from "../words.js";

/**
 * @param {Record<string, string>} words
 * @param {string} code that a link brought
 */
export function makeClassPart(words, code) {
  const id = newId("class-code"),
    field = h("input", { id, class: "ddpm-field", value: code, maxlength: 20, size: 8, autocomplete: "off" }),
    status = h("p", { role: "status", "data-name": "class-status" }),
    join = button(words.class_join, begin, { class: "ddpm-button ddpm-lesson-primary", "data-name": "class-join" }),
    form = h(
      "form",
      {
        class: "ddpm-row",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          begin();
        },
      },
      h("label", { for: id }, words.class_code),
      field,
      join,
    ),
    leave = button(words.class_leave, leaveClass, { "data-name": "class-leave" }),
    lead = button(words.class_lead, () => showClassScreen(words), { hidden: true, "data-name": "class-lead" }),
    help = h("p", { class: "ddpm-help" }, words.class_help);
  const details = h(
    "details",
    {
      class: "ddpm-details",
      hidden: !SERVED,
      ontoggle: () => {
        if (details.open) askHost();
      },
    },
    h("summary", {}, words.class_title),
    help,
    form,
    status,
    h("div", { class: "ddpm-row" }, leave, lead),
  );
  let before = myClass();

  async function begin() {
    join.disabled = true;
    const fault = await joinClass(field.value);
    if (fault) status.textContent = fault; // else `describe` has said that it worked
    join.disabled = false;
    if (myClass()) leave.focus();
  }
  /** Only the host is offered to open a class. */
  async function askHost() {
    const answer = await askClass("host", { action: "look", keys: myKeys() });
    lead.hidden = Boolean(answer.error);
    if (answer.code) lead.textContent = words.class_show;
  }
  function describe() {
    const joined = myClass();
    form.hidden = help.hidden = Boolean(joined);
    leave.hidden = !joined;
    if (joined) status.textContent = fill(words.class_joined, joined);
    else if (before) status.textContent = words.class_ended;
    before = joined;
  }
  describe();
  onClass(describe);
  if (code || before) details.open = true;
  return {
    element: details,
    focus: () => join.focus(),
  };
}
