/** Paints thousands of points: on the graphics card, or else pixel by pixel. */

const VERTEX = `
attribute vec2 place;
attribute vec4 colour;
uniform vec2 scale;
uniform vec2 shift;
uniform mediump float radius;
varying vec4 fill;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  gl_PointSize = 2.0 * radius + 2.0;
  fill = colour;
}`;

const FRAGMENT = `
precision mediump float;
uniform mediump float radius;
varying vec4 fill;
void main() {
  float away = length(gl_PointCoord - 0.5) * (2.0 * radius + 2.0);
  float cover = clamp(radius + 0.5 - away, 0.0, 1.0) * fill.a;
  gl_FragColor = vec4(fill.rgb * cover, cover);
}`;

const CARD = {
  alpha: false,
  antialias: false,
  depth: false,
  failIfMajorPerformanceCaveat: true,
};
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

// Discs are cut ready at so many places within a pixel, in either direction.
const N_PHASES = 4;

/**
 * A painter: `fill(x, y, colours)` takes the points (coordinates; red, green, blue and
 * opacity, 0 to 255; the last are painted on top), `paint(view, radius, ground)` paints
 * them where `view` puts them (pixel = place * scale + dx or dy), with a radius in
 * pixels, on a ground of [red, green, blue].
 *
 * @param {HTMLCanvasElement} canvas which has not been painted on
 * @returns {{kind: string, fill: function, paint: function}} `kind` is "webgl" or "pixels"
 */
export function createPainter(canvas) {
  const gl = hasCard() ? canvas.getContext("webgl", CARD) : null;
  return gl ? new CardPainter(canvas, gl) : new PixelPainter(canvas);
}

/** Tells whether WebGL is drawn by a graphics card; computed, it is slower than pixels. */
function hasCard() {
  // A canvas that has had one kind of context never gets another.
  const gl = document.createElement("canvas").getContext("webgl", CARD);
  if (!gl) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}

class CardPainter {
  kind = "webgl";
  #canvas;
  #gl;
  #places = new Float32Array(0);
  #colours = new Uint8Array(0);
  #uniforms = {};

  constructor(canvas, gl) {
    this.#canvas = canvas;
    this.#gl = gl;
    this.#prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.#prepare();
      this.#send();
    });
  }

  #prepare() {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    for (const name of ["scale", "shift", "radius"]) {
      this.#uniforms[name] = gl.getUniformLocation(program, name);
    }
    this.#bind(program, "place", 2, gl.FLOAT, false);
    this.#bind(program, "colour", 4, gl.UNSIGNED_BYTE, true);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  #bind(program, name, size, type, isNormalized) {
    const gl = this.#gl;
    this.#uniforms[`${name}s`] = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#uniforms[`${name}s`]);
    const location = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, type, isNormalized, 0, 0);
  }

  fill(x, y, colours) {
    this.#places = new Float32Array(2 * x.length);
    for (let i = 0; i < x.length; i++) {
      this.#places[2 * i] = x[i];
      this.#places[2 * i + 1] = y[i];
    }
    this.#colours = colours;
    this.#send();
  }

  #send() {
    const gl = this.#gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#uniforms.places);
    gl.bufferData(gl.ARRAY_BUFFER, this.#places, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#uniforms.colours);
    gl.bufferData(gl.ARRAY_BUFFER, this.#colours, gl.STATIC_DRAW);
  }

  paint({ scale, dx, dy }, radius, ground) {
    const gl = this.#gl;
    const { width, height } = this.#canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(ground[0] / 255, ground[1] / 255, ground[2] / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.#uniforms.scale, (2 * scale) / width, (-2 * scale) / height);
    gl.uniform2f(this.#uniforms.shift, (2 * dx) / width - 1, 1 - (2 * dy) / height);
    gl.uniform1f(this.#uniforms.radius, radius);
    gl.drawArrays(gl.POINTS, 0, this.#places.length / 2);
  }
}

class PixelPainter {
  kind = "pixels";
  #canvas;
  #context;
  #image = null;
  #x = new Float64Array(0);
  #y = new Float64Array(0);
  #colours = new Uint8Array(0);
  #discs = [];
  #radius = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  fill(x, y, colours) {
    this.#x = x;
    this.#y = y;
    this.#colours = colours;
  }

  paint({ scale, dx, dy }, radius, ground) {
    const { width, height } = this.#canvas;
    if (this.#image?.width !== width || this.#image?.height !== height) {
      this.#image = this.#context.createImageData(width, height);
    }
    const pixels = new Uint32Array(this.#image.data.buffer);
    pixels.fill(packed(ground[0], ground[1], ground[2]));
    if (radius !== this.#radius) {
      this.#discs = cutDiscs(radius);
      this.#radius = radius;
    }
    const reach = Math.ceil(radius) + 1;
    const colours = this.#colours;
    for (let i = 0; i < this.#x.length; i++) {
      const x = this.#x[i] * scale + dx;
      const y = this.#y[i] * scale + dy;
      if (x < -reach || y < -reach || x > width + reach || y > height + reach) continue;
      const c = 4 * i;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const phase =
        Math.floor((y - top) * N_PHASES) * N_PHASES + Math.floor((x - left) * N_PHASES);
      const isInside =
        left >= reach && top >= reach && left + reach < width && top + reach < height;
      stamp(
        pixels,
        this.#discs[phase],
        left,
        top,
        width,
        isInside ? 0 : height,
        packed(colours[c], colours[c + 1], colours[c + 2]),
        colours[c + 3],
      );
    }
    this.#context.putImageData(this.#image, 0, 0);
  }
}

/** Puts a colour into one number, as little-endian machines (all of today) read it. */
function packed(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * Cuts a disc at every phase: where it covers pixels relative to the one in its middle,
 * and how much of each (0 to 256).
 */
function cutDiscs(radius) {
  const reach = Math.ceil(radius) + 1;
  const discs = [];
  for (let phase = 0; phase < N_PHASES * N_PHASES; phase++) {
    const midX = ((phase % N_PHASES) + 0.5) / N_PHASES;
    const midY = (Math.floor(phase / N_PHASES) + 0.5) / N_PHASES;
    const disc = { x: [], y: [], cover: [] };
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        const away = Math.hypot(x + 0.5 - midX, y + 0.5 - midY);
        const cover = Math.round(256 * Math.min(1, Math.max(0, radius + 0.5 - away)));
        if (!cover) continue;
        disc.x.push(x);
        disc.y.push(y);
        disc.cover.push(cover);
      }
    }
    discs.push({
      x: Int16Array.from(disc.x),
      y: Int16Array.from(disc.y),
      cover: Uint16Array.from(disc.cover),
    });
  }
  return discs;
}

/** Blends a disc into the picture; `height` is 0 where all of it lies inside. */
function stamp(pixels, disc, left, top, width, height, colour, opacity) {
  const { x, y, cover } = disc;
  for (let k = 0; k < x.length; k++) {
    const column = left + x[k];
    const row = top + y[k];
    if (height && (column < 0 || row < 0 || column >= width || row >= height)) continue;
    const at = row * width + column;
    const share = opacity === 255 ? cover[k] : (cover[k] * opacity) >> 8;
    pixels[at] = share === 256 ? colour : blended(pixels[at], colour, share);
  }
}

/** Mixes two packed colours; `share` of 256 is of the second. Two channels go at once. */
function blended(under, over, share) {
  const rest = 256 - share;
  const redBlue = ((under & 0xff00ff) * rest + (over & 0xff00ff) * share) >>> 8;
  const green = ((under & 0x00ff00) * rest + (over & 0x00ff00) * share) >>> 8;
  return ((0xff << 24) | (redBlue & 0xff00ff) | (green & 0x00ff00)) >>> 0;
}
