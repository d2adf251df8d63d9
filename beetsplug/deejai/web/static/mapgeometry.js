/** Where points lie to each other: plain loops, as 100 000 points take under a millisecond. */

const FILLED = 0.9;

/**
 * Finds the nearest points.
 *
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {number} toX
 * @param {number} toY
 * @param {number} [n] how many
 * @param {number} [within] how far away they may be
 * @returns {number[]} indices, nearest first
 */
export function nearestPoints(x, y, toX, toY, n = 1, within = Infinity) {
  const found = [];
  let limit = within * within;
  for (let i = 0; i < x.length; i++) {
    const square = (x[i] - toX) ** 2 + (y[i] - toY) ** 2;
    if (square > limit) continue;
    let at = found.length;
    while (at > 0 && found[at - 1].square > square) at--;
    found.splice(at, 0, { i, square });
    if (found.length > n) found.pop();
    if (found.length === n) limit = found[n - 1].square;
  }
  return found.map(({ i }) => i);
}

/**
 * Finds the points inside a polygon.
 *
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {[number, number][]} corners
 * @returns {number[]} indices
 */
export function pointsWithin(x, y, corners) {
  const box = boundsOf(
    corners.map(([cornerX]) => cornerX),
    corners.map(([, cornerY]) => cornerY),
  );
  const inside = [];
  for (let i = 0; i < x.length; i++) {
    if (x[i] < box.left || x[i] > box.right || y[i] < box.top || y[i] > box.bottom) continue;
    let isInside = false;
    for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
      const [ax, ay] = corners[a];
      const [bx, by] = corners[b];
      const isCrossed = ay > y[i] !== by > y[i];
      if (isCrossed && x[i] < ((bx - ax) * (y[i] - ay)) / (by - ay) + ax) {
        isInside = !isInside;
      }
    }
    if (isInside) inside.push(i);
  }
  return inside;
}

/**
 * Returns the view in which a box fills the middle of a frame.
 *
 * @param {{left: number, right: number, top: number, bottom: number}} box
 * @param {{width: number, height: number}} frame in pixels
 * @returns {{scale: number, dx: number, dy: number}} pixel = place * scale + dx or dy
 */
export function viewOf({ left, right, top, bottom }, { width, height }) {
  const extent = Math.max((right - left) / width, (bottom - top) / height, 1e-6);
  const scale = Math.min(FILLED / extent, FILLED * 4 * Math.min(width, height));
  return {
    scale,
    dx: width / 2 - (scale * (left + right)) / 2,
    dy: height / 2 - (scale * (top + bottom)) / 2,
  };
}

/** Returns the smallest box around points. */
export function boundsOf(x, y) {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (let i = 0; i < x.length; i++) {
    box.left = Math.min(box.left, x[i]);
    box.right = Math.max(box.right, x[i]);
    box.top = Math.min(box.top, y[i]);
    box.bottom = Math.max(box.bottom, y[i]);
  }
  return box;
}
