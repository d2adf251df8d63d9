/** The names of regions, lettered over the points of the map. */

import { el } from "./dom.js";

const SMALLEST_EM = 0.75;
const GAP_PX = 3;

/** Elements, which the browser moves without painting them anew. */
export class Names {
  #box = el("div", { class: "map-names", "aria-hidden": "true" });
  #names = [];
  #corner = null;
  #measuredAt = 0;

  /** @param {HTMLElement} below what they lie over */
  constructor(below) {
    below.after(this.#box);
  }

  /** Whether they are shown. */
  set areShown(areShown) {
    this.#box.hidden = !areShown;
  }

  /**
   * Sets the names.
   *
   * @param {{name: string, x: number, y: number, n_tracks: number}[]} regions where two do
   *     not find room, the first one is shown
   * @param {HTMLElement} corner what lies at the right, which names keep clear of
   */
  set(regions, corner) {
    this.#corner = corner;
    this.#measuredAt = 0;
    const most = Math.max(...regions.map((region) => region.n_tracks));
    this.#names = regions.map((region) => {
      const part = Math.sqrt(region.n_tracks / most);
      const node = el("span", { class: "map-region-name", dir: "auto" }, region.name);
      node.style.fontSize = `${SMALLEST_EM + (1 - SMALLEST_EM) * part}em`;
      return { node, x: region.x, y: region.y, width: 0, height: 0 };
    });
    this.#box.replaceChildren(...this.#names.map(({ node }) => node));
  }

  remove() {
    this.#box.remove();
  }

  /**
   * Puts names where they belong, as far as there is room.
   *
   * @param {{width: number, height: number}} frame
   * @param {function(number, number): {x: number, y: number}} spot where a place is
   */
  paint(frame, spot) {
    if (this.#box.hidden || !this.#names.length) return;
    // The size of letters may depend on that of the window.
    if (this.#measuredAt !== frame.width) this.#measure(frame.width);
    const { offsetLeft: left, offsetTop: top, offsetHeight: height } = this.#corner;
    const corner = { left, top, right: frame.width, bottom: top + height };
    const taken = [];
    for (const name of this.#names) {
      const box = boxOf(name, spot(name.x, name.y), frame, corner);
      const isShown = box !== null && !taken.some((other) => overlap(box, other));
      name.node.style.visibility = isShown ? "visible" : "hidden";
      if (!isShown) continue;
      taken.push(box);
      name.node.style.transform = `translate(${box.left}px, ${box.top}px)`;
    }
  }

  #measure(width) {
    this.#measuredAt = width;
    for (const name of this.#names) {
      name.width = name.node.offsetWidth;
      name.height = name.node.offsetHeight;
    }
  }
}

/** Returns the box of a name, moved inside the frame; null for a spot outside it. */
function boxOf({ width, height }, { x, y }, frame, corner) {
  if (x < 0 || y < 0 || x > frame.width || y > frame.height) return null;
  const inside = (middle, size, room) =>
    Math.round(Math.min(Math.max(middle - size / 2, GAP_PX), room - size - GAP_PX));
  const at = (left, top) => ({ left, top, right: left + width, bottom: top + height });
  const box = at(inside(x, width, frame.width), inside(y, height, frame.height));
  if (!overlap(box, corner)) return box;
  // The shorter way out: to the left or downwards.
  return box.right - corner.left < corner.bottom - box.top
    ? at(corner.left - width - 2 * GAP_PX, box.top)
    : at(box.left, corner.bottom + GAP_PX);
}

function overlap(a, b) {
  return (
    a.left < b.right + GAP_PX &&
    b.left < a.right + GAP_PX &&
    a.top < b.bottom &&
    b.top < a.bottom
  );
}
