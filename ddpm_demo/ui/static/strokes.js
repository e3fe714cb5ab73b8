// Strokes of mouse, finger and pen: one a pointer, and the pen before the hand that rests beside it.

const NEAR = 1500; // milliseconds after the pen was last here in which a touch counts as the hand that holds it
const PALM = 70; // pixels: a wider touch is not a fingertip
const STILL = 12; // pixels: a touch that has moved less is at rest

/**
 * Points are where the pointer was in the window, in pixels.
 * @typedef {{x: number, y: number}} Point
 * @typedef {{id: number, type: string, target: EventTarget | null, points: Point[], moved: boolean, rests: boolean}} Stroke
 */

/**
 * Watch the strokes on an element, made with the first button alone.
 * @param {HTMLElement} element
 * @param {{draw: (stroke: Stroke, from: Point, to: Point) => void, drop: (stroke: Stroke) => void,
 *          end?: (stroke: Stroke) => void, alone?: boolean}} on
 *   `draw` is called for each line of a stroke, the first time from a point to itself: a tap is a dot. `drop` takes all
 *   of a stroke back: it was the hand's, or the browser has made something else of it. `end` is called when a stroke has
 *   ended that stays. With `alone` there is one stroke at a time.
 * @returns {{busy: () => boolean}} whether a stroke is under way, a resting hand apart
 */
export function watchStrokes(element, { draw, drop, end = () => {}, alone = false }) {
  /** @type {Map<number, Stroke>} */
  const strokes = new Map();
  let penSeen = -Infinity;

  const at = (/** @type {PointerEvent} */ event) => ({ x: event.clientX, y: event.clientY });
  const isHand = (/** @type {PointerEvent} */ event) =>
    event.pointerType === "touch" && Math.max(event.width ?? 0, event.height ?? 0) > PALM;

  /**
   * @param {Stroke} stroke
   * @param {boolean} stays
   */
  function finish(stroke, stays) {
    strokes.delete(stroke.id);
    if (stroke.rests) return; // taken back already
    if (stays) end(stroke);
    else drop(stroke);
  }
  /**
   * @param {Stroke} stroke
   * @param {Point} to
   */
  function goOn(stroke, to) {
    const from = stroke.points[stroke.points.length - 1];
    stroke.points.push(to);
    stroke.moved ||= Math.hypot(to.x - stroke.points[0].x, to.y - stroke.points[0].y) > STILL;
    if (!stroke.rests) draw(stroke, from, to);
    else if (stroke.moved) {
      stroke.rests = false; // it was a finger after all
      stroke.points.forEach((point, k) => draw(stroke, stroke.points[Math.max(0, k - 1)], point));
    }
    if (!stroke.moved) return;
    for (const other of strokes.values()) {
      if (other === stroke || other.type !== "touch" || other.moved || other.rests) continue;
      other.rests = true;
      drop(other);
    }
  }
  /** @param {PointerEvent} event */
  function down(event) {
    const { pointerId: id, pointerType: type } = event;
    if (type === "pen") {
      penSeen = event.timeStamp;
      for (const stroke of [...strokes.values()]) if (stroke.type === "touch") finish(stroke, false);
    }
    if (event.button !== 0) return;
    const penNear = event.timeStamp - penSeen < NEAR || [...strokes.values()].some((stroke) => stroke.type === "pen");
    if (type === "touch" && (penNear || isHand(event))) return;
    const before = strokes.get(id);
    if (before) finish(before, true);
    if (alone && strokes.size) return;
    element.setPointerCapture(id);
    const point = at(event);
    const stroke = { id, type, target: event.target, points: [point], moved: false, rests: false };
    strokes.set(id, stroke);
    draw(stroke, point, point);
  }
  /** @param {PointerEvent} event */
  function move(event) {
    if (event.pointerType === "pen") penSeen = event.timeStamp; // hovering, too
    const stroke = strokes.get(event.pointerId);
    if (!stroke) return;
    if (isHand(event)) finish(stroke, false);
    else if (!(event.buttons & 1))
      finish(stroke, true); // let go where nobody told it
    else {
      const parts = event.getCoalescedEvents?.() ?? [];
      for (const part of parts.length ? parts : [event]) goOn(stroke, at(part));
    }
  }
  /**
   * @param {PointerEvent} event
   * @param {boolean} stays
   */
  function leave(event, stays) {
    if (event.pointerType === "pen") penSeen = event.timeStamp;
    const stroke = strokes.get(event.pointerId);
    if (stroke) finish(stroke, stays);
  }
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", (event) => leave(event, true));
  element.addEventListener("lostpointercapture", (event) => leave(event, true));
  // a touch that the browser makes a gesture of, or that the system knows for the palm
  element.addEventListener("pointercancel", (event) => leave(event, event.pointerType !== "touch"));
  return { busy: () => [...strokes.values()].some(({ rests }) => !rests) };
}
