/** A map of thousands of points to move around in, by mouse, touch or keyboard. */

import { readColour } from "./mapcolours.js";
import { boundsOf, nearestPoints, pointsWithin, viewOf } from "./mapgeometry.js";
import { Overlay } from "./mapoverlay.js";
import { createPainter } from "./mappaint.js";
import { listen } from "./mapinput.js";
import { Names } from "./mapnames.js";

const MAX_ZOOM = 300;
const MIN_ZOOM = 0.5;
const GLIDE_MS = 350;
const REACH_PX = 10;
const TOUCH_REACH_PX = 22;
const KEY_PAN_PX = 80;

/**
 * Makes a map.
 *
 * Points have coordinates in [0, 1], y downwards; colours have four numbers a point: red,
 * green, blue and opacity, 0 to 255.
 *
 * @param {HTMLCanvasElement} canvas inside an element that is positioned and has a size
 * @param {object} [handlers]
 * @param {function(number, {x: number, y: number}): void} [handlers.onHover] the index of
 *     the point under the pointer, or in the middle while the keyboard is used, and where
 *     it is in pixels; -1 for none
 * @param {function(number): void} [handlers.onClick]
 * @param {function(number[]): void} [handlers.onLasso] the points inside; none when the
 *     lasso is given up
 * @returns {MapView}
 */
export function createMap(canvas, handlers = {}) {
  return new MapView(canvas, handlers);
}

class MapView {
  #canvas;
  #handlers;
  #painter;
  #overlay;
  #names;
  #x = [];
  #y = [];
  #order = null;
  #bounds = null;
  #ground = [255, 255, 255];
  #isDue = false;
  #glide = 0;
  #isFitted = true;
  #fitScale = 1;
  #stopListening;
  #resizing;
  #hovered = -1;
  // In CSS pixels: place * scale + dx or dy.
  #view = { scale: 1, dx: 0, dy: 0 };

  /** Whether dragging draws a lasso instead of moving the map. */
  isLassoing = false;

  constructor(canvas, handlers) {
    this.#canvas = canvas;
    this.#handlers = handlers;
    this.#painter = createPainter(canvas);
    this.#overlay = new Overlay(canvas);
    this.#names = new Names(canvas);
    this.#stopListening = listen(canvas, this);
    this.#resizing = new ResizeObserver(() => this.#resize());
    this.#resizing.observe(canvas.parentElement);
    this.#resize();
  }

  /** "webgl" or "pixels" */
  get painter() {
    return this.#painter.kind;
  }

  /** How many points there are. */
  get size() {
    return this.#x.length;
  }

  /**
   * Sets the points, which are painted once they have colours.
   *
   * @param {{x: ArrayLike<number>, y: ArrayLike<number>}} points
   */
  setPoints({ x, y }) {
    this.#x = Float64Array.from(x);
    this.#y = Float64Array.from(y);
    this.#bounds = x.length ? boundsOf(this.#x, this.#y) : null;
    this.#overlay.forget();
    if (this.#isFitted) this.fit();
  }

  /**
   * Sets the colours of the points.
   *
   * @param {Uint8Array} colours
   * @param {function(number): number} [rank] points of a higher one are painted on top
   */
  setColours(colours, rank = () => 0) {
    const n = this.size;
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    // Shuffled, always in the same way: the last group would seem the largest.
    for (let i = n - 1, seed = 1; i > 0; i--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const j = seed % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const ranks = Float64Array.from({ length: n }, (_, i) => rank(i));
    order.sort((a, b) => ranks[a] - ranks[b]);
    const inOrder = new Uint8Array(4 * n);
    order.forEach((i, at) => inOrder.set(colours.subarray(4 * i, 4 * i + 4), 4 * at));
    this.#painter.fill(
      Float64Array.from(order, (i) => this.#x[i]),
      Float64Array.from(order, (i) => this.#y[i]),
      inOrder,
    );
    this.draw();
  }

  /** Sets the colours of the ground and of what is drawn on it, as CSS has them. */
  setTheme({ ground, ink, accent }) {
    this.#ground = readColour(ground);
    this.#overlay.setTheme({ ground, ink, accent });
    this.draw();
  }

  /** Sets the names that are lettered over the points; see {@link Names#set}. */
  setNames(regions, corner) {
    this.#names.set(regions, corner);
    this.draw();
  }

  /** Shows the names, or hides them. */
  showNames(areShown) {
    this.#names.areShown = areShown;
    this.draw();
  }

  /** Draws the way along points; none clears it. */
  setPath(indices) {
    this.#overlay.path = indices;
    this.draw();
  }

  /** Marks the point that plays; -1 for none. */
  setCurrent(index) {
    this.#overlay.current = index;
    this.draw();
  }

  /** Shows all points. */
  fit() {
    this.#isFitted = true;
    const { width, height } = this.#size;
    if (!this.#bounds || !width || !height) return;
    const view = viewOf(this.#bounds, this.#size);
    this.#set(view);
    this.#fitScale = view.scale;
  }

  /** Goes where some points are, and shows all of them. */
  zoomToAll(indices) {
    const pick = (values) => indices.map((i) => values[i]);
    this.#isFitted = false;
    this.#glideTo(viewOf(boundsOf(pick(this.#x), pick(this.#y)), this.#size));
  }

  /** Goes to a point, and near to it. */
  zoomTo(index) {
    this.#isFitted = false;
    const scale = Math.max(this.#view.scale, 4 * this.#fitScale);
    const { width, height } = this.#size;
    this.#glideTo({
      scale,
      dx: width / 2 - this.#x[index] * scale,
      dy: height / 2 - this.#y[index] * scale,
    });
  }

  /** Returns the points nearest to another one, nearest first, itself included. */
  nearest(index, n) {
    return nearestPoints(this.#x, this.#y, this.#x[index], this.#y[index], n);
  }

  /** Ends everything: the map cannot be used afterwards. */
  close() {
    this.#stopListening();
    this.#resizing.disconnect();
    cancelAnimationFrame(this.#glide);
    this.#overlay.remove();
    this.#names.remove();
  }

  // What follows is called by the input, in CSS pixels of the canvas.

  panBy(x, y) {
    cancelAnimationFrame(this.#glide);
    this.#isFitted = false;
    const { scale, dx, dy } = this.#view;
    this.#set({ scale, dx: dx + x, dy: dy + y });
  }

  /** Zooms by a factor so that the place at x, y stays where it is. */
  zoomBy(factor, x = this.#size.width / 2, y = this.#size.height / 2) {
    cancelAnimationFrame(this.#glide);
    this.#isFitted = false;
    const { scale, dx, dy } = this.#view;
    const least = MIN_ZOOM * this.#fitScale;
    const wanted = Math.min(Math.max(scale * factor, least), MAX_ZOOM * this.#fitScale);
    const by = wanted / scale;
    this.#set({ scale: wanted, dx: x - (x - dx) * by, dy: y - (y - dy) * by });
  }

  hoverAt(x, y, isTouch = false) {
    this.#hover(this.#at(x, y, isTouch));
  }

  hoverNothing() {
    this.#hover(-1);
  }

  clickAt(x, y, isTouch) {
    const index = this.#at(x, y, isTouch);
    this.#hover(index);
    if (index >= 0) this.#handlers.onClick?.(index);
  }

  lassoAlong(corners) {
    this.#overlay.lasso = corners.map(([x, y]) => [this.#placeX(x), this.#placeY(y)]);
    this.draw();
  }

  closeLasso() {
    const corners = this.#overlay.lasso;
    const inside = corners.length > 2 ? pointsWithin(this.#x, this.#y, corners) : [];
    if (!inside.length) this.#overlay.lasso = [];
    this.#handlers.onLasso?.(inside);
    this.draw();
  }

  /** Takes the lasso away. */
  dropLasso() {
    if (!this.#overlay.lasso.length) return;
    this.#overlay.lasso = [];
    this.#handlers.onLasso?.([]);
    this.draw();
  }

  /** Does what a key means; false if it means nothing here. */
  press(key) {
    const pan = {
      ArrowLeft: [KEY_PAN_PX, 0],
      ArrowRight: [-KEY_PAN_PX, 0],
      ArrowUp: [0, KEY_PAN_PX],
      ArrowDown: [0, -KEY_PAN_PX],
    }[key];
    if (pan) this.panBy(...pan);
    else if (key === "+" || key === "=") this.zoomBy(1.5);
    else if (key === "-" || key === "_") this.zoomBy(1 / 1.5);
    else if (key === "0" || key === "Home") this.fit();
    else if (key === "Escape") this.dropLasso();
    else if (key !== "Enter") return false;
    this.focusMiddle();
    if (key === "Enter" && this.#hovered >= 0) this.#handlers.onClick?.(this.#hovered);
    return true;
  }

  /** Hovers over the point that is nearest to the middle. */
  focusMiddle() {
    const { width, height } = this.#size;
    const [x, y] = [this.#placeX(width / 2), this.#placeY(height / 2)];
    this.#overlay.hasCross = true;
    this.#hover(nearestPoints(this.#x, this.#y, x, y)[0] ?? -1);
    this.draw();
  }

  leaveMiddle() {
    this.#overlay.hasCross = false;
    this.#hover(-1);
    this.draw();
  }

  /** Paints at the next frame. */
  draw() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#paint();
    });
  }

  #paint() {
    // A view that is hidden has no size.
    if (!this.#canvas.width || !this.#canvas.height) return;
    const ratio = this.#ratio;
    const { scale, dx, dy } = this.#view;
    const radius = this.#radius;
    const view = { scale: scale * ratio, dx: dx * ratio, dy: dy * ratio };
    // In quarters of a pixel, so that discs are not cut anew in every frame of a zoom.
    this.#painter.paint(view, Math.round(4 * radius * ratio) / 4, this.#ground);
    this.#names.paint(this.#size, (x, y) => this.#spot(x, y));
    this.#overlay.paint(
      { ratio, radius, ...this.#size },
      (i) => this.#spot(this.#x[i], this.#y[i]),
      (x, y) => this.#spot(x, y),
    );
  }

  /** Points grow, though not as fast as the map, and leave room between many of them. */
  get #radius() {
    const { width, height } = this.#size;
    const base = 0.3 * Math.sqrt((width * height) / Math.max(1, this.size));
    const zoom = Math.max(1, this.#view.scale / this.#fitScale);
    return Math.min(Math.max(base, 1.6) * zoom ** 0.4, 7);
  }

  get #size() {
    const { clientWidth, clientHeight } = this.#canvas.parentElement;
    return { width: clientWidth, height: clientHeight };
  }

  get #ratio() {
    return Math.min(globalThis.devicePixelRatio || 1, 2);
  }

  #resize() {
    const { width, height } = this.#size;
    const size = [Math.round(width * this.#ratio), Math.round(height * this.#ratio)];
    if (this.#canvas.width !== size[0] || this.#canvas.height !== size[1]) {
      [this.#canvas.width, this.#canvas.height] = size;
      this.#overlay.resize(...size);
    }
    if (this.#isFitted) this.fit();
    // At once: a canvas that has been resized is empty.
    this.#paint();
  }

  #set(view) {
    this.#view = view;
    this.draw();
  }

  #glideTo(end) {
    cancelAnimationFrame(this.#glide);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#set(end);
      return;
    }
    const start = { ...this.#view };
    const began = performance.now();
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - began) / GLIDE_MS));
      const part = t * t * (3 - 2 * t);
      const mixed = (name) => start[name] + (end[name] - start[name]) * part;
      this.#set({ scale: mixed("scale"), dx: mixed("dx"), dy: mixed("dy") });
      if (t < 1) this.#glide = requestAnimationFrame(step);
    };
    this.#glide = requestAnimationFrame(step);
  }

  #placeX(x) {
    return (x - this.#view.dx) / this.#view.scale;
  }

  #placeY(y) {
    return (y - this.#view.dy) / this.#view.scale;
  }

  #spot(x, y) {
    const { scale, dx, dy } = this.#view;
    return { x: x * scale + dx, y: y * scale + dy };
  }

  #at(x, y, isTouch) {
    const reach = Math.max(isTouch ? TOUCH_REACH_PX : REACH_PX, this.#radius + 3);
    const within = reach / this.#view.scale;
    const [placeX, placeY] = [this.#placeX(x), this.#placeY(y)];
    return nearestPoints(this.#x, this.#y, placeX, placeY, 1, within)[0] ?? -1;
  }

  #hover(index) {
    this.#canvas.style.cursor = index >= 0 ? "pointer" : "";
    if (index === this.#hovered && index < 0) return;
    this.#hovered = index;
    this.#overlay.hovered = index;
    const spot = index >= 0 ? this.#spot(this.#x[index], this.#y[index]) : { x: 0, y: 0 };
    this.#handlers.onHover?.(index, spot);
    this.draw();
  }
}
