/** Draws what filters look for and what they hear, in the colours of the page. */

/** Quiet to loud; the ground of the page is the quietest. */
const LOUDNESS = {
  light: ["#fffdfb", "#f6d3c4", "#e58a9a", "#a8175c", "#4a0c3d"],
  dark: ["#1e1a1e", "#4a1a46", "#a22a63", "#f08a72", "#ffeeb5"],
};

/** Below, like and above. */
const SIGNS = {
  light: ["#a32020", "#e9a195", "#fffdfb", "#94b8dc", "#175a9c"],
  dark: ["#ff8d82", "#8d4640", "#1e1a1e", "#38608c", "#8cc4ff"],
};

/** What the darkest and the lightest byte stand for, of what may be above or below. */
const MIDDLE = 128;

/**
 * Reads bytes from the text that they were packed into.
 *
 * @param {string} text base64
 * @returns {Uint8Array}
 */
export function unpacked(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Averages drawings of the same size. */
export function average(drawings) {
  const sums = new Float32Array(drawings[0]?.length ?? 0);
  for (const drawing of drawings) {
    for (let i = 0; i < sums.length; i++) sums[i] += drawing[i] / drawings.length;
  }
  return sums;
}

/** Subtracts one drawing from another; equal values become {@link MIDDLE}. */
export function difference(drawing, other) {
  const apart = drawing.map((value, i) => value - other[i]);
  const largest = apart.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return apart.map((value) => MIDDLE + (127 * value) / largest);
}

/**
 * Paints values, row by row from the lowest band, into a canvas: bands go upwards.
 *
 * @param {HTMLCanvasElement} canvas gets as many pixels as there are values
 * @param {ArrayLike<number>} values 0 to 255
 * @param {number} nRows
 * @param {{isSigned: boolean, isDark: boolean}} how
 */
export function paint(canvas, values, nRows, { isSigned, isDark }) {
  const nColumns = values.length / nRows;
  canvas.width = nColumns;
  canvas.height = nRows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(nColumns, nRows);
  const ramp = (isSigned ? SIGNS : LOUDNESS)[isDark ? "dark" : "light"].map(channels);
  // Loudness fills the whole ramp; what has a sign keeps its middle.
  const [low, high] = isSigned ? [1, 255] : range(values);
  for (let row = 0; row < nRows; row++) {
    for (let column = 0; column < nColumns; column++) {
      const value = values[row * nColumns + column];
      const place = high > low ? (value - low) / (high - low) : 0;
      const at = 4 * ((nRows - 1 - row) * nColumns + column);
      image.data.set(between(ramp, place), at);
    }
  }
  context.putImageData(image, 0, 0);
}

/**
 * Tells the frequency at which the middle of a drawing is farthest above another one.
 *
 * @returns {number} Hz
 */
export function standsOutAt(drawing, other, nRows) {
  const nColumns = drawing.length / nRows;
  const [first, last] = [Math.floor(0.4 * nColumns), Math.ceil(0.6 * nColumns)];
  const excess = [];
  for (let row = 0; row < nRows; row++) {
    excess[row] = 0;
    for (let column = first; column < last; column++) {
      const i = row * nColumns + column;
      excess[row] += drawing[i] - other[i];
    }
  }
  // Of single bands the lowest would win too often: it varies most between recordings.
  let [best, most] = [0, -Infinity];
  for (let row = 0; row < nRows; row++) {
    const near = excess.slice(Math.max(0, row - 2), row + 3);
    const mean = near.reduce((sum, value) => sum + value) / near.length;
    if (mean > most) [best, most] = [row, mean];
  }
  return frequency((best + 1) / (nRows + 1));
}

/** Writes a frequency as one says it: 90 Hz, 1.2 kHz. */
export function spokenFrequency(hertz) {
  if (hertz < 1000) return `${Math.round(hertz / 10) * 10} Hz`;
  return `${(hertz / 1000).toFixed(1)} kHz`;
}

/** The frequency at a part of the mel scale (Slaney's), 0 to 11 025 Hz. */
export function frequency(part) {
  const mel = part * (15 + (27 * Math.log(11.025)) / Math.log(6.4));
  return mel < 15 ? (mel * 1000) / 15 : 1000 * Math.exp((Math.log(6.4) / 27) * (mel - 15));
}

function range(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function between(ramp, place) {
  const at = Math.min(1, Math.max(0, place)) * (ramp.length - 1);
  const step = Math.min(ramp.length - 2, Math.floor(at));
  const part = at - step;
  const mixed = ramp[step].map((from, i) => from + part * (ramp[step + 1][i] - from));
  return [...mixed, 255];
}
