// The curve of the Receptive-field tab: how wide the field is after every layer, by formula and measured.
import { placeIn } from "../component.js";
import { makeCurve } from "../curve.js";
import { state, subscribe, update } from "../state.js";
import { BLUE, ORANGE } from "../palette.js";
import { say } from "../words.js";

/** @type {import("../component.js").Mount} */
export function mount(element, props, watch) {
  const goTo = (x) => update({ layers: Math.min(props.value.names.length - 1, Math.max(0, Math.round(x))) });
  const curve = makeCurve({ xTitle: say("layer"), onPick: goTo });
  placeIn(element).replaceChildren(curve.element);

  function draw() {
    const { names, widths, measured, image, label } = props.value;
    curve.draw({
      label,
      names,
      x: [-0.5, names.length - 0.5],
      y: [0, 1.15 * Math.max(image, ...widths, ...measured)],
      level: { y: image, text: say("the image: {count} pixels", { count: image }) },
      series: [
        { name: say("width by formula, pixels"), colour: BLUE, dash: "solid", y: widths, numbers: true },
        { name: say("measured, random weights"), colour: ORANGE, y: measured, rings: true },
      ],
    });
    Object.assign(curve.element.dataset, { widths, measured });
  }
  subscribe(curve.element, (changes) => {
    if ("layers" in changes) curve.setCursor(state.layers);
  });
  watch("value", draw);
  draw();
  curve.setCursor(state.layers);
}
