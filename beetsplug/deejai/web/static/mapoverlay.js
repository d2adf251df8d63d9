/** What lies over the points of the map: a way, marks, the lasso. */

const DOT_PX = 4;

export class Overlay {
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d");
  #theme = { ground: "#fff", ink: "#000", accent: "#c00" };
  #isEmpty = true;

  /** Indices of points along a way. */
  path = [];
  /** The point that plays; -1 for none. */
  current = -1;
  /** The point that is pointed at; -1 for none. */
  hovered = -1;
  /** Whether the middle is marked, for who has no pointer. */
  hasCross = false;
  /** Corners as places on the map. */
  lasso = [];

  /** @param {HTMLCanvasElement} below what it lies over */
  constructor(below) {
    this.#canvas.className = "map-overlay";
    this.#canvas.setAttribute("aria-hidden", "true");
    below.after(this.#canvas);
  }

  setTheme(theme) {
    this.#theme = theme;
  }

  resize(width, height) {
    this.#canvas.width = width;
    this.#canvas.height = height;
  }

  /** Forgets all that is about points. */
  forget() {
    this.path = [];
    this.current = -1;
    this.hovered = -1;
    this.lasso = [];
  }

  remove() {
    this.#canvas.remove();
  }

  /**
   * Paints all of it.
   *
   * @param {{ratio: number, radius: number, width: number, height: number}} frame
   * @param {function(number): {x: number, y: number}} spotOf where a point is
   * @param {function(number, number): {x: number, y: number}} spot where a place is
   */
  paint(frame, spotOf, spot) {
    const c = this.#context;
    const { ratio, radius, width, height } = frame;
    const isEmpty =
      !this.path.length &&
      this.current < 0 &&
      this.hovered < 0 &&
      !this.hasCross &&
      !this.lasso.length;
    if (isEmpty && this.#isEmpty) return;
    this.#isEmpty = isEmpty;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    c.lineJoin = "round";
    c.lineCap = "round";
    if (this.path.length) this.#paintPath(this.path.map(spotOf), radius);
    if (this.lasso.length) this.#paintLasso(this.lasso.map(([x, y]) => spot(x, y)));
    if (this.current >= 0) this.#paintCurrent(spotOf(this.current), radius);
    if (this.hovered >= 0) {
      this.#ring(spotOf(this.hovered), radius + 3.5, this.#theme.ink, 2);
    }
    if (this.hasCross) this.#paintCross(width / 2, height / 2);
  }

  #paintPath(spots, radius) {
    const c = this.#context;
    const trace = () => {
      c.beginPath();
      spots.forEach(({ x, y }) => c.lineTo(x, y));
      c.stroke();
    };
    c.strokeStyle = this.#theme.ground;
    c.lineWidth = 5;
    trace();
    c.strokeStyle = this.#theme.ink;
    c.lineWidth = 2;
    trace();
    spots.forEach((at) => this.#dot(at, Math.max(DOT_PX, radius), this.#theme.ink));
    // The first one is open, so that it can be told from the last.
    this.#dot(spots[0], Math.max(DOT_PX, radius) - 1.5, this.#theme.ground, 0);
  }

  #paintCurrent(at, radius) {
    this.#ring(at, radius + 7, this.#theme.ground, 6);
    this.#ring(at, radius + 7, this.#theme.accent, 3);
    this.#dot(at, Math.max(DOT_PX, radius), this.#theme.accent);
  }

  #paintLasso(spots) {
    const c = this.#context;
    c.beginPath();
    spots.forEach(({ x, y }) => c.lineTo(x, y));
    c.closePath();
    c.globalAlpha = 0.12;
    c.fillStyle = this.#theme.accent;
    c.fill();
    c.globalAlpha = 1;
    c.setLineDash([6, 4]);
    c.strokeStyle = this.#theme.accent;
    c.lineWidth = 2;
    c.stroke();
    c.setLineDash([]);
  }

  #paintCross(x, y) {
    const c = this.#context;
    for (const [colour, width] of [
      [this.#theme.ground, 4],
      [this.#theme.ink, 1.5],
    ]) {
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.beginPath();
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        c.moveTo(x + 5 * dx, y + 5 * dy);
        c.lineTo(x + 12 * dx, y + 12 * dy);
      }
      c.stroke();
    }
  }

  #ring({ x, y }, radius, colour, width) {
    const c = this.#context;
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.stroke();
  }

  #dot({ x, y }, radius, colour, edge = 1.5) {
    const c = this.#context;
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    c.fillStyle = colour;
    c.fill();
    if (!edge) return;
    c.strokeStyle = this.#theme.ground;
    c.lineWidth = edge;
    c.stroke();
  }
}
