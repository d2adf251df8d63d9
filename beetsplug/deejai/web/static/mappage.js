/** The page that `beet deejai map -o map.html` writes: a map to look around in. */

import { count, el } from "./dom.js";
import { MapPanel } from "./mappanel.js";

const N_LISTED = 200;

const data = JSON.parse(document.getElementById("map-data").textContent);
const details = el("div", { class: "map-details", role: "status" });
const panel = new MapPanel({
  by: data.by,
  onPick: showTrack,
  onLasso: showTracks,
});
panel.side.append(details);
document.getElementById("map").replaceChildren(panel.element);
panel.setData(data);
if (data.way.length) panel.map.setPath(data.way);

function showTrack(index) {
  panel.map.setCurrent(index);
  panel.showNear(index);
  const region = data.regions[data.region[index]];
  const facts = [
    ["Artist", data.artists[data.artist[index]]],
    ["Album", data.album[index]],
    ["Year", data.years[data.year[index]]],
    ["Genre", data.genres[data.genre[index]]],
    ["Region", region && el("span", {}, el("bdi", {}, region.name), ` (${region.evidence})`)],
  ].filter(([, value]) => value);
  details.replaceChildren(
    el("h2", {}, data.title[index]),
    el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    ...copyable(data.path[index], "Path"),
  );
}

function showTracks(indices) {
  details.replaceChildren();
  if (!indices.length) return;
  const paths = indices.map((i) => data.path[i]).join("\n");
  const listed = indices.slice(0, N_LISTED).map((i) => el("li", {}, panel.nameOf(i)));
  details.append(
    el("h2", {}, count(indices.length, "track")),
    ...copyable(paths, "Paths"),
    el("ul", { class: "map-listed" }, ...listed),
  );
  if (indices.length > N_LISTED) details.append(el("p", {}, "…"));
}

/** Shows text in a field whose content is selected at once, so that it can be copied. */
function copyable(text, label) {
  const field = el("textarea", {
    readonly: true,
    rows: Math.min(6, 1 + text.split("\n").length),
    "aria-label": label,
    spellcheck: "false",
    on: { focus: () => field.select() },
  });
  field.value = text;
  const button = el("button", { type: "button", class: "button" }, "Copy");
  button.addEventListener("click", () => {
    field.select();
    // A page from the disk may not have the clipboard of today's standard.
    const isDone = document.execCommand("copy");
    button.textContent = isDone ? "Copied" : "Press Ctrl+C";
  });
  return [field, button];
}
