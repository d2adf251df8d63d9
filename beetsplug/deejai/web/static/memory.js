/** What was played, liked and banned. */

import { toast, toastError } from "./announce.js";
import { api, isUpload } from "./api.js";
import { el, iconButton, spoken, textButton } from "./dom.js";
import { trackRow } from "./tracklist.js";

/**
 * Saves tracks as an M3U playlist; uploads have no place of their own and are left out.
 *
 * @param {object[]} tracks
 * @param {string} title of the playlist, and name of the file
 */
export async function saveTracks(tracks, title) {
  const refs = tracks.map(({ ref }) => ref).filter((ref) => !isUpload(ref));
  if (!refs.length) {
    toast("There is nothing of the library to save.");
    return;
  }
  const plain = title.replaceAll(" -> ", " to ");
  const name = plain.replace(/[^\p{L}\p{N} ._-]+/gu, "_").slice(0, 100);
  try {
    await api.save("playlists.m3u8", { tracks: refs, title: title.slice(0, 200) }, `${name}.m3u8`);
  } catch (error) {
    toastError(error);
  }
}

/** Builds the lists below the stage. */
export function memory({ player }) {
  const { tastes } = player;
  const element = el(
    "div",
    { class: "memory" },
    list({
      name: "Played",
      id: "played",
      empty: "Nothing yet.",
      isOpen: true,
      tracks: () => player.sitting.filter((track) => track !== player.current).reverse(),
      row: (track) =>
        trackRow(track, { verb: "Play", onChoose: () => player.play(track), note: "" }),
      actions: [
        textButton("Save as M3U", () => saveTracks(player.sitting, `Deck ${today()}`), {
          id: "save-played",
          class: "link-button",
        }),
      ],
      listen: (show) => player.addEventListener("track", show),
    }),
    list({
      name: "Likes",
      id: "likes",
      empty: "What you like draws the choice towards it.",
      tracks: () => [...tastes.likes.values()].reverse(),
      row: (track) =>
        trackRow(track, {
          verb: "Play",
          onChoose: () => player.play(track),
          note: "",
          buttons: [
            iconButton("close", `Like ${spoken(track)} no longer`, () => tastes.toggleLike(track)),
          ],
        }),
      actions: [
        textButton("Save as M3U", () => saveTracks([...tastes.likes.values()], "Likes"), {
          id: "save-likes",
          class: "link-button",
        }),
        textButton("Clear", () => tastes.clearLikes(), { id: "clear-likes", class: "link-button" }),
      ],
      listen: (show) => tastes.addEventListener("change", show),
    }),
    list({
      name: "Bans",
      id: "bans",
      empty: "What you ban is never played, and the choice keeps away from it.",
      tracks: () => [...tastes.bans.values()].reverse(),
      row: (track) =>
        trackRow(track, {
          note: "",
          buttons: [
            textButton("Undo", () => tastes.unban(track.ref), {
              class: "link-button",
              "aria-label": `Lift the ban of ${spoken(track)}`,
            }),
          ],
        }),
      actions: [],
      listen: (show) => tastes.addEventListener("change", show),
    }),
  );
  tastes.addEventListener("change", ({ detail }) => {
    const track = player.current;
    if (detail.list === "bans" && track && tastes.isBanned(track.ref)) {
      toast(`Banned: ${track.title}`, {
        action: "Undo",
        onAction: () => tastes.unban(track.ref),
      });
    }
  });
  return element;
}

function list({ name, id, empty, tracks, row, actions, listen, isOpen = false }) {
  const number = el("span", { class: "number" });
  const rows = el("ol", { class: "rows", id, "aria-label": name });
  const nothing = el("p", { class: "muted" }, empty);
  const tools = el("p", { class: "panel-tools" }, ...actions);
  const element = el(
    "details",
    { class: "panel fold", open: isOpen },
    el("summary", {}, el("h3", {}, name), number),
    nothing,
    tools,
    rows,
  );
  const show = () => {
    const all = tracks();
    const focused = [...rows.children].findIndex((each) => each.contains(document.activeElement));
    const isCleared = !all.length && tools.contains(document.activeElement);
    number.textContent = String(all.length);
    nothing.hidden = all.length > 0;
    tools.hidden = !all.length || !actions.length;
    rows.replaceChildren(...all.map(row));
    // What had the focus may be gone; its neighbour takes it.
    if (isCleared) element.querySelector("summary").focus();
    if (focused >= 0) {
      const heir = rows.children[Math.min(focused, all.length - 1)];
      (heir?.querySelector("button:last-child") ?? element.querySelector("summary")).focus();
    }
  };
  listen(show);
  show();
  return element;
}

export function today() {
  return new Date().toLocaleDateString("en-CA");
}
