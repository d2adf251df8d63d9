/** The two knobs: how many of the last tracks count, and how much chance there is. */

import { fill } from "./bar.js";
import { count, el } from "./dom.js";

const MAX_KEEP_ON = 10;
const MOODS = [
  [0, "sober"],
  [0.1, "a sip"],
  [0.3, "tipsy"],
  [0.6, "merry"],
  [0.99, "drunk"],
  [1, "legless"],
];

function moodOf(drunk) {
  return MOODS.find(([upTo]) => drunk <= upTo)[1];
}

/**
 * Makes a labelled slider.
 *
 * @param {object} options
 * @param {string} options.id
 * @param {string} options.label
 * @param {string} options.hint what it does, in a line
 * @param {{min: number, max: number, step: number, value: number}} options.range
 * @param {function(number): string} options.tell says the value in words
 * @param {function(number): void} options.onChange
 * @returns {HTMLElement}
 */
function knob({ id, label, hint, range, tell, onChange }) {
  const slider = el("input", {
    type: "range",
    id,
    class: "slider",
    ...range,
    "aria-describedby": `${id}-hint`,
  });
  const value = el("output", { class: "knob-value", for: id });
  const show = () => {
    const text = tell(Number(slider.value));
    value.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    fill(slider);
  };
  slider.addEventListener("input", () => {
    show();
    onChange(Number(slider.value));
  });
  show();
  return el(
    "div",
    { class: "knob" },
    el("label", { class: "knob-label", for: id }, label),
    value,
    slider,
    el("p", { class: "knob-hint", id: `${id}-hint` }, hint),
  );
}

/** Makes the knob "Drunk". */
export function drunkKnob({ id, value, hint, onChange }) {
  return knob({
    id,
    label: "Drunk",
    hint,
    range: { min: 0, max: 1, step: 0.05, value },
    tell: (drunk) => `${drunk.toFixed(2)}, ${moodOf(drunk)}`,
    onChange,
  });
}

/** Makes the knob "Keep on". */
export function keepOnKnob({ id, value, onChange }) {
  return knob({
    id,
    label: "Keep on",
    hint: "How many of the last tracks the next one follows.",
    range: { min: 1, max: Math.max(MAX_KEEP_ON, value), step: 1, value },
    tell: (n) => count(n, "track"),
    onChange,
  });
}
