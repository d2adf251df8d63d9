/** Covers, and what stands in for one. */

import { api } from "./api.js";
import { el, svg } from "./dom.js";

const SIZE = 100;
const AHEAD = "150px";

/** Whether there is a cover, by ref: promises, since the deck is asked once a track. */
const found = new Map();

/** The tracks of what is not yet seen. */
const covered = new WeakMap();

// Covers may be large: loading="lazy" would fetch those of many rows that nobody sees.
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      showCover(target, covered.get(target));
    }
  },
  { rootMargin: AHEAD },
);

/**
 * Shows the cover of a track; one that has none gets a picture drawn after its names, the
 * same at every time.
 *
 * @param {object} track
 * @returns {HTMLElement}
 */
export function coverOf(track) {
  const cover = el("span", { class: "cover", "aria-hidden": "true" }, drawn(track));
  if (track.has_cover) {
    covered.set(cover, track);
    seen.observe(cover);
  }
  return cover;
}

/**
 * Tells whether a track really has a cover: of some it is only known once it is asked for.
 *
 * @param {{ref: string, has_cover: boolean}} track
 * @returns {Promise<boolean>}
 */
export function hasCover({ ref, has_cover: mayHave }) {
  if (mayHave && !found.has(ref)) {
    const probe = new Image();
    probe.src = api.coverUrl(ref);
    const isThere = probe.decode().then(
      () => true,
      () => false,
    );
    found.set(ref, isThere);
  }
  return found.get(ref) ?? Promise.resolve(false);
}

async function showCover(cover, track) {
  if (await hasCover(track)) cover.append(el("img", { src: api.coverUrl(track.ref), alt: "" }));
}

function drawn(track) {
  // Tracks of an album share their hue; the murky ones from olive to brown are left out.
  const hue = 135 + (hash(track.album || track.artist || track.title) % 285);
  const random = randomOf(hash(`${track.title}|${track.artist}`));
  const tone = (lightness, chroma, turn = 0) =>
    `oklch(${lightness}% ${chroma} ${(hue + turn) % 360})`;
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${SIZE} ${SIZE}`, preserveAspectRatio: "xMidYMid slice" },
    svg("rect", { width: SIZE, height: SIZE, fill: tone(42, 0.09) }),
  );
  const draw = [rings, hills, moons, bars][Math.floor(random() * 4)];
  picture.append(...draw(random, tone));
  return picture;
}

function rings(random, tone) {
  const at = { cx: 25 + 50 * random(), cy: 25 + 50 * random() };
  return [78, 62, 47, 33, 20, 8].map((r, i) =>
    svg("circle", { ...at, r, fill: tone(46 + 7 * i, 0.1 + 0.01 * i, 9 * i) }),
  );
}

function hills(random, tone) {
  const sun = { cx: 20 + 60 * random(), cy: 24 + 12 * random(), r: 9 + 6 * random() };
  const layers = [0, 1, 2, 3].map((i) => {
    const y = () => 42 + 14 * i + 12 * (random() - 0.5);
    const path = `M0 ${y()}C30 ${y() - 10} 35 ${y() + 8} 55 ${y()}S85 ${y() - 8} 100 ${y()}V100H0z`;
    return svg("path", { d: path, fill: tone(66 - 9 * i, 0.11, 12 * i - 20) });
  });
  return [svg("circle", { ...sun, fill: tone(86, 0.08, 40) }), ...layers];
}

function moons(random, tone) {
  const shift = 10 + 12 * random();
  const y = 50 + 16 * (random() - 0.5);
  const moon = (cx, fill) => svg("circle", { cx, cy: y, r: 29, fill, "fill-opacity": 0.86 });
  return [
    moon(50 - shift, tone(70, 0.13, -25)),
    moon(50 + shift, tone(58, 0.14, 35)),
    svg("circle", { cx: 50, cy: y, r: 7, fill: tone(90, 0.05) }),
  ];
}

function bars(random, tone) {
  return Array.from({ length: 11 }, (_, i) => {
    const height = 12 + 60 * random() * Math.sin(((i + 1) * Math.PI) / 12);
    return svg("rect", {
      x: 9 + 7.6 * i,
      y: 50 - height / 2,
      width: 4.6,
      height,
      rx: 2.3,
      fill: tone(64 + 20 * random(), 0.11, 6 * i - 30),
    });
  });
}

/** FNV-1a, a hash of 32 bits. */
function hash(text) {
  let value = 0x811c9dc5;
  for (const letter of text) {
    value = Math.imul(value ^ letter.codePointAt(0), 0x01000193);
  }
  return value >>> 0;
}

/** Mulberry32: numbers from 0 to 1, the same ones for the same seed. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
