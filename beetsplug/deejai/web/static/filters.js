/** The page that `beet deejai filters --sheet` writes: what each filter hears. */

import { clock, count, el, spoken, svg } from "./dom.js";
import {
  average,
  difference,
  frequency,
  paint,
  spokenFrequency,
  standsOutAt,
  unpacked,
} from "./filterdrawing.js";

const PLAY = "M7 4.5v15l12-7.5z";
const STOP = "M6 6h12v12H6z";

const sheet = JSON.parse(document.getElementById("filters-data").textContent);
const [nBands, , seconds] = sheet.patch;
const darkness = matchMedia("(prefers-color-scheme: dark)");
const sound = new Audio();
const said = el("p", { class: "for-readers", role: "status" });
let playing = null;

const heard = sheet.filters.filter((filter) => !filter.silent);
for (const filter of heard) filter.patch = filter.patch && unpacked(filter.patch);
const usual = average(heard.map((filter) => filter.patch).filter(Boolean));

const cards = heard.map((filter) => makeCard(filter));
const order = el(
  "select",
  { on: { change: show } },
  el("option", { value: "number" }, "by number"),
  el("option", { value: "telling" }, "most telling first"),
);
const words = el("input", { type: "search", spellcheck: "false", on: { input: show } });
const onlyNamed = el("input", { type: "checkbox", on: { change: show } });
const apart = el("input", { type: "checkbox", on: { change: paintAll } });
const found = el("p", { class: "filters-found", role: "status" });
const grid = el("div", { class: "filters-grid" });

document.getElementById("filters").replaceChildren(
  el(
    "form",
    { class: "filters-tools", role: "search", on: { submit: (event) => event.preventDefault() } },
    el("label", { class: "filters-words" }, el("span", {}, "Find a tag, a track or a number"), words),
    el("label", {}, el("span", {}, "Order"), order),
    el("label", { class: "filters-check" }, onlyNamed, "only those with a name"),
    el("label", { class: "filters-check" }, apart, "draw what sets each apart"),
  ),
  found,
  el("details", { class: "filters-help" }, el("summary", {}, "How to read this page"), ...help()),
  grid,
  ...silentOnes(),
  said,
);
sound.addEventListener("ended", () => playing?.next());
sound.addEventListener("error", () => stop());
darkness.addEventListener("change", paintAll);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stop();
});
show();
paintAll();

function help() {
  const ranked = sheet.by === "max" ? "their loudest moment" : "their mean over the whole track";
  const parts = [
    `Each filter of ${sheet.layer} looks for one pattern. Listed are the tracks in which it finds ` +
      `most of it, by ${ranked}, and when: press a time to hear ${seconds.toFixed(0)} s around it, ` +
      "as the network hears it, in mono up to 11 kHz.",
    `The large drawing is the average of these moments: time from left to right (${seconds.toFixed(0)} ` +
      "s), frequency upwards, loud in strong colours. What the filter sees lies between the two " +
      "lines. Drawn by what sets each apart, blue is louder than in the average of all filters' " +
      "moments, red is quieter.",
    "A filter is named after tags that are commoner among its tracks than in the library, more so " +
      "than chance would have it with as many comparisons (hypergeometric test, false discovery " +
      "rate of 5 % among genres and the like, among decades, and among artists and albums). " +
      "No name means that no tag says what they share.",
  ];
  if (sheet.kernel) {
    parts.push(
      "The small drawing is what the filter multiplies the spectrogram by: time from left to " +
        "right, frequency upwards, blue what it wants, red what it does not.",
    );
  }
  return parts.map((text) => el("p", {}, text));
}

function silentOnes() {
  const numbers = sheet.filters.filter((filter) => filter.silent).map((filter) => filter.number);
  if (!numbers.length) return [];
  const text = `${count(numbers.length, "filter")} silent, the same for every track: `;
  return [el("p", { class: "filters-silent" }, text + numbers.join(", "))];
}

function makeCard(filter) {
  const title = `filter-${filter.number}`;
  const buttons = filter.tops.map((top) => (top.clip === null ? null : clipButton(top)));
  const playable = buttons.filter(Boolean);
  const all = el("button", { type: "button", class: "button filter-all" });
  all.number = filter.number;
  nameAll(all, false);
  all.addEventListener("click", () => (playing?.owner === all ? stop() : playAll(all, playable)));
  const element = el(
    "article",
    { class: "filter", "aria-labelledby": title },
    el(
      "div",
      { class: "filter-head" },
      el(
        "h2",
        { id: title, title: filter.name || null },
        el("span", { class: "filter-number" }, `Filter ${filter.number}`),
        filter.name ? ": " : null,
        filter.name ? el("span", { class: "filter-name" }, filter.name) : null,
      ),
      playable.length > 1 ? all : null,
    ),
    pictures(filter),
    filter.tags.length ? el("ul", { class: "filter-tags" }, ...filter.tags.map(tagLine)) : null,
    el("ol", { class: "filter-tops" }, ...filter.tops.map((top, i) => topLine(top, buttons[i], filter))),
  );
  const text = ["filter", ...filter.tags.map((tag) => tag.value)]
    .concat(filter.tops.flatMap((top) => [top.title, top.artist]))
    .join("\n")
    .toLowerCase();
  // A number is that of a filter, or stands in a name by itself.
  const numbers = new Set([String(filter.number), ...(text.match(/\d+/g) ?? [])]);
  const matches = (word) => (/^\d+$/.test(word) ? numbers.has(word) : text.includes(word));
  return { filter, element, matches };
}

/** Says on the button of a whole card, and to who has it read out, what it does. */
function nameAll(button, isPlaying) {
  const [text, does] = isPlaying ? ["Stop", "Stop playing"] : ["Play all", "Play all moments of"];
  button.textContent = text;
  button.setAttribute("aria-label", `${does} filter ${button.number}`);
}

function pictures(filter) {
  const line = el("div", { class: "filter-pictures" });
  if (filter.kernel) {
    const tall = sheet.kernel[0] > 2 * sheet.kernel[1];
    filter.kernelCanvas = el("canvas", {
      role: "img",
      class: tall ? "filter-kernel filter-kernel-tall" : "filter-kernel",
      "aria-label": `Weights of filter ${filter.number}`,
    });
    line.append(el("figure", {}, filter.kernelCanvas, el("figcaption", {}, "weights")));
  }
  if (filter.patch) {
    const at = spokenFrequency(standsOutAt(filter.patch, usual, nBands));
    filter.patchCanvas = el("canvas", {
      role: "img",
      "aria-label": `Average spectrogram of the moments at which filter ${filter.number} fires`,
    });
    const frame = el(
      "div",
      { class: "filter-patch" },
      filter.patchCanvas,
      el("span", { class: "filter-seen", "aria-hidden": "true" }),
      ...[0.25, 0.5, 0.75].map((part) => axisLabel(part)),
    );
    frame.style.setProperty("--seen", String(Math.min(1, sheet.seen / seconds)));
    line.append(
      el("figure", { class: "filter-heard" }, frame, el("figcaption", {}, `stands out around ${at}`)),
    );
  }
  return line;
}

function axisLabel(part) {
  const label = el(
    "span",
    { class: "filter-axis", "aria-hidden": "true" },
    spokenFrequency(frequency(part)).replace(".0 ", " "),
  );
  label.style.setProperty("--part", String(part));
  return label;
}

function tagLine(tag) {
  const elsewhere = `${tag.tagged} of ${tag.all} in all`;
  return el(
    "li",
    { title: `${tag.kind}; ${elsewhere}; false discovery rate ${tag.q.toPrecision(1)}` },
    el("span", { class: "filter-tag" }, tag.value),
    el("span", { class: "filter-share" }, `${tag.inside} of ${tag.group}, ${elsewhere}`),
  );
}

function topLine(top, button, filter) {
  const bar = el("span", { class: "filter-bar", "aria-hidden": "true" });
  const [lowest, strongest] = [Math.min(0, filter.tops.at(-1).value), filter.tops[0].value];
  const part = strongest > lowest ? (top.value - lowest) / (strongest - lowest) : 1;
  bar.style.setProperty("--part", String(part));
  return el(
    "li",
    {},
    button ?? el("span", { class: "filter-time" }, clock(top.start)),
    el(
      "span",
      { class: "filter-track" },
      el("span", { class: "filter-title" }, top.title),
      top.artist ? el("span", { class: "filter-artist" }, top.artist) : null,
    ),
    el("span", { class: "filter-value" }, String(top.value)),
    bar,
  );
}

function clipButton(top) {
  const shape = svg("path", { d: PLAY });
  const button = el(
    "button",
    {
      type: "button",
      class: "filter-play",
      "aria-label": `Play ${clock(top.start)} of ${spoken(top)}`,
      "aria-pressed": "false",
    },
    svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, shape),
    clock(top.start),
  );
  const clip = { button, shape, source: sheet.clips[top.clip], name: spoken(top) };
  button.addEventListener("click", () => {
    if (playing?.clip === clip) stop();
    else play(clip, button, stop);
  });
  button.clip = clip;
  return button;
}

function play(clip, owner, next) {
  stop();
  playing = { clip, owner, next };
  clip.button.setAttribute("aria-pressed", "true");
  clip.shape.setAttribute("d", STOP);
  if (owner !== clip.button) nameAll(owner, true);
  said.textContent = `Playing ${clip.name}`;
  sound.src = `data:audio/mpeg;base64,${clip.source}`;
  // Another clip may be asked for before this one has begun.
  sound.play().catch((error) => {
    if (error.name !== "AbortError") stop();
  });
}

function playAll(owner, [first, ...rest]) {
  play(first.clip, owner, () => (rest.length ? playAll(owner, rest) : stop()));
}

function stop() {
  if (!playing) return;
  sound.pause();
  const { clip, owner } = playing;
  playing = null;
  clip.button.setAttribute("aria-pressed", "false");
  clip.shape.setAttribute("d", PLAY);
  if (owner !== clip.button) nameAll(owner, false);
  said.textContent = "";
}

function show() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = cards.filter(
    ({ filter, matches }) => (!onlyNamed.checked || filter.name) && wanted.every(matches),
  );
  const rate = ({ filter }) => filter.tags[0]?.q ?? 1;
  if (order.value === "telling") shown.sort((one, other) => rate(one) - rate(other));
  grid.replaceChildren(...shown.map(({ element }) => element));
  // What plays on could not be stopped any more.
  if (playing && !playing.clip.button.isConnected) stop();
  const nNamed = shown.filter(({ filter }) => filter.name).length;
  found.textContent = `${count(shown.length, "filter")}, ${nNamed} with a name`;
}

function paintAll() {
  const isDark = darkness.matches;
  const isSigned = apart.checked;
  for (const { filter } of cards) {
    if (filter.kernelCanvas) {
      paint(filter.kernelCanvas, unpacked(filter.kernel), sheet.kernel[0], { isSigned: true, isDark });
    }
    if (filter.patchCanvas) {
      const values = isSigned ? difference(Float32Array.from(filter.patch), usual) : filter.patch;
      paint(filter.patchCanvas, values, nBands, { isSigned, isDark });
    }
  }
}
