/** Moves a map by mouse, touch and keyboard. */

const CLICK_PX = 5;
const TAP_PX = 12;
const CORNER_PX = 4;
const WHEEL = 0.0016;
const PINCH_WHEEL = 0.01;
const LINE_PX = 16;

/**
 * Listens to what the user does on the map's canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {import("./map.js").MapView} map
 * @returns {function(): void} stops listening
 */
export function listen(canvas, map) {
  const ending = new AbortController();
  const on = (type, listener, options = {}) =>
    canvas.addEventListener(type, listener, { signal: ending.signal, ...options });

  /** Pointers that are down, by id, where they are. */
  const down = new Map();
  /** What began when the first of them went down; null in between. */
  let gesture = null;

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    const at = [event.offsetX, event.offsetY];
    down.set(event.pointerId, at);
    map.leaveMiddle();
    if (down.size > 1) gesture.kind = "pinch";
    else {
      const isLasso = map.isLassoing || event.shiftKey;
      gesture = { kind: isLasso ? "lasso" : "pan", start: at, corners: [at], isClick: true };
    }
  });

  on("pointermove", (event) => {
    const at = [event.offsetX, event.offsetY];
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") map.hoverAt(...at);
      return;
    }
    const slack = event.pointerType === "mouse" ? CLICK_PX : TAP_PX;
    if (apart(at, gesture.start) > slack) gesture.isClick = false;
    if (gesture.kind === "pinch") pinch(event.pointerId, before, at);
    else if (gesture.kind === "lasso") extend(at);
    else if (!gesture.isClick) {
      map.hoverNothing();
      // From where it was before the hand was steady enough to be sure.
      const from = gesture.isMoving ? before : gesture.start;
      map.panBy(at[0] - from[0], at[1] - from[1]);
      gesture.isMoving = true;
    }
    down.set(event.pointerId, at);
  });

  on("pointerup", (event) => {
    if (!down.delete(event.pointerId) || down.size) {
      if (gesture) gesture.isClick = false;
      return;
    }
    if (gesture.kind === "lasso" && !gesture.isClick) map.closeLasso();
    else if (gesture.isClick && gesture.kind !== "pinch") {
      map.clickAt(event.offsetX, event.offsetY, event.pointerType !== "mouse");
    }
    gesture = null;
  });

  on("pointercancel", (event) => {
    down.delete(event.pointerId);
    if (!down.size) gesture = null;
  });

  on("pointerleave", () => map.hoverNothing());

  on(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaMode === 0 ? event.deltaY : event.deltaY * LINE_PX;
      // Two fingers on a touchpad come as a wheel with Ctrl, in small steps.
      const rate = event.ctrlKey ? PINCH_WHEEL : WHEEL;
      map.zoomBy(Math.exp(-pixels * rate), event.offsetX, event.offsetY);
      map.hoverAt(event.offsetX, event.offsetY);
    },
    { passive: false },
  );

  on("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!map.press(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  on("focus", () => {
    if (canvas.matches(":focus-visible")) map.focusMiddle();
  });
  on("blur", () => map.leaveMiddle());

  function pinch(id, before, at) {
    const [other] = [...down].filter(([otherId]) => otherId !== id).map(([, place]) => place);
    if (!other) return;
    const factor = apart(at, other) / Math.max(1, apart(before, other));
    map.panBy((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    map.zoomBy(factor, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  function extend(at) {
    if (apart(at, gesture.corners.at(-1)) < CORNER_PX) return;
    gesture.corners.push(at);
    map.lassoAlong(gesture.corners);
  }

  return () => ending.abort();
}

function apart([ax, ay], [bx, by]) {
  return Math.hypot(ax - bx, ay - by);
}
