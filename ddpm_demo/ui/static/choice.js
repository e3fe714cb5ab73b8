// A choice from a list: the browser's own <select>, as a field of Gradio's. Options are [text, value]; newer ones than were
// given come as `props.options`.
import { placeIn } from "./component.js";
import { h, newId } from "./dom.js";

/** @type {import("./component.js").Mount} */
export function mount(element, props, watch, _, trigger, given) {
  const id = newId("choice");
  const list = h("select", {
    id,
    class: "ddpm-select",
    "aria-describedby": `${id}-info`,
    onfocus: () => trigger("focus"),
    onchange: () => {
      props.value = list.value;
      trigger("input"); // that it has changed Gradio says by itself
    },
  });
  placeIn(element).replaceChildren(
    h("label", { for: id }, given.label),
    h("p", { class: "ddpm-help", id: `${id}-info` }, given.info),
    list,
  );
  let offered = "";
  function offer() {
    const options = props.options ?? given.options,
      now = JSON.stringify(options);
    if (now !== offered) list.replaceChildren(...options.map(([text, value]) => new Option(text, value)));
    offered = now; // a list that is open is left alone
    show();
  }
  /** A value that the list does not have is chosen all the same, as before: the server says what is wrong with it. */
  function show() {
    if (props.value !== null && ![...list.options].some(({ value }) => value === props.value))
      list.append(new Option(props.value, props.value));
    list.value = props.value;
  }
  watch("options", offer);
  watch("value", show);
  offer();
}
