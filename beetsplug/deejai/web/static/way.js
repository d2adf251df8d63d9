/** The way of a journey: a drawing of its hops, and the list of its tracks. */

import { clock, el, icon, svg } from "./dom.js";
import { trackRow, withArrowKeys } from "./tracklist.js";

const WIDTH = 720;
const HEIGHT = 150;
const MARGIN = 26;

/**
 * Lists the tracks of a way.
 *
 * @param {object[]} tracks
 * @param {function(number): void} onPlay plays from a place in the list on
 * @param {?string} current ref of what plays
 * @returns {HTMLOListElement}
 */
export function wayList(tracks, onPlay, current) {
  return withArrowKeys(
    el(
      "ol",
      { class: "rows way", id: "way", "aria-label": "The way" },
      ...tracks.map((track, i) => {
        const row = trackRow(track, {
          verb: "Play from",
          onChoose: () => onPlay(i),
          note: clock(track.length_s),
          isCurrent: track.ref === current,
        });
        row.classList.toggle("is-waypoint", track.is_waypoint);
        row.prepend(
          el(
            "span",
            { class: "hop", title: "Cosine similarity to the track before" },
            i && track.similarity !== null ? track.similarity.toFixed(2) : "",
          ),
        );
        if (track.is_waypoint) {
          row.querySelector(".row-names").after(el("span", { class: "flag" }, "Waypoint"));
        }
        return row;
      }),
    ),
  );
}

/**
 * Draws the hops: the way goes to the right as far as each hop is wide, and dips where two
 * tracks are little alike.
 *
 * @param {object[]} tracks
 * @returns {SVGElement}
 */
export function wayDrawing(tracks) {
  const hops = tracks.slice(1).map(({ similarity }) => similarity ?? 1);
  const distances = hops.map((similarity) => Math.max(0.04, 1 - similarity));
  const whole = distances.reduce((sum, distance) => sum + distance, 0) || 1;
  const widest = Math.max(0.1, ...distances);
  let passed = 0;
  const points = tracks.map((track, i) => {
    if (i) passed += distances[i - 1];
    return { track, x: MARGIN + ((WIDTH - 2 * MARGIN) * passed) / whole };
  });
  const top = 34;
  const path = points.slice(1).map(({ x }, i) => {
    const before = points[i].x;
    const dip = top + ((HEIGHT - top - 14) * distances[i]) / widest;
    const third = (x - before) / 3;
    // The middle of a cubic with both handles at one height lies at 3/4 of the way there.
    const handle = top + (dip - top) / 0.75;
    return `C${before + third} ${handle} ${x - third} ${handle} ${x} ${top}`;
  });
  const lowest = Math.min(...hops);
  const mean = hops.reduce((sum, hop) => sum + hop, 0) / (hops.length || 1);
  return svg(
    "svg",
    {
      class: "hops",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `${hops.length} hops; similarity ${mean.toFixed(2)} on average, ${lowest.toFixed(2)} at the widest.`,
    },
    svg("path", { class: "hops-area", d: `M${points[0].x} ${top}${path.join("")}Z` }),
    svg("path", { class: "hops-line", d: `M${points[0].x} ${top}${path.join("")}` }),
    ...points.map(({ track, x }) =>
      svg(
        "circle",
        {
          cx: x,
          cy: top,
          r: track.is_waypoint ? 9 : 5,
          class: track.is_waypoint ? "hops-waypoint" : "hops-track",
          "data-ref": track.ref,
        },
        svg("title", {}, track.title),
      ),
    ),
  );
}

/** What shows before there is a way. */
export function noWay() {
  return el(
    "div",
    { class: "no-way" },
    icon("journey"),
    el("p", {}, "Pick two tracks or more, and see a way from one to the next."),
  );
}
