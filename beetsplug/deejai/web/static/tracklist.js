/** Rows of tracks. */

import { toast } from "./announce.js";
import { coverOf } from "./cover.js";
import { clock, el, iconButton, spoken } from "./dom.js";

/**
 * Makes the row of a track.
 *
 * @param {object} track
 * @param {object} [options]
 * @param {?string} [options.verb] what a click on the row does, such as "Play"; null: nothing
 * @param {function(object): void} [options.onChoose] does it
 * @param {Array<HTMLElement>} [options.buttons] at the end of the row
 * @param {?string} [options.note] in place of the length
 * @param {boolean} [options.isCurrent] whether it plays
 * @returns {HTMLLIElement}
 */
export function trackRow(track, options = {}) {
  const { verb = null, onChoose, buttons = [], note = null, isCurrent = false } = options;
  const by = track.artist || track.album;
  const parts = [
    coverOf(track),
    el(
      "span",
      { class: "row-names" },
      el("span", { class: "row-title" }, track.title),
      by ? el("span", { class: "row-artist" }, by) : null,
    ),
    el("span", { class: "row-note" }, note ?? clock(track.length_s)),
  ];
  const body = verb
    ? el(
        "button",
        {
          type: "button",
          class: "row-body",
          "aria-label": `${verb} ${spoken(track)}`,
          on: { click: () => onChoose(track) },
        },
        ...parts,
      )
    : el("div", { class: "row-body" }, ...parts);
  return el(
    "li",
    { class: "row", "data-ref": track.ref, "aria-current": isCurrent ? "true" : null },
    body,
    ...buttons,
  );
}

/**
 * Makes the button of a row that queues its track.
 *
 * @param {object} track
 * @param {import("./player.js").Player} player
 * @returns {HTMLButtonElement}
 */
export function queueButton(track, player) {
  return iconButton("queue", `Queue ${spoken(track)}`, () => {
    player.enqueue(track);
    toast(`Queued: ${track.title}`);
  });
}

/** Lets the arrow keys go up and down a list of rows. */
export function withArrowKeys(list) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest?.(".row");
    if (!step || !row) return;
    const rows = [...list.querySelectorAll(".row")];
    const next = rows[rows.indexOf(row) + step]?.querySelector("button");
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
  return list;
}
