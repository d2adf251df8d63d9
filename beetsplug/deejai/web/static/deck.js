/** The deck: search or drop something, it plays, and the next ones follow. */

import { toast, toastError } from "./announce.js";
import { el, iconButton, spoken, textButton } from "./dom.js";
import { finder } from "./finder.js";
import { memory } from "./memory.js";
import { stage } from "./stage.js";
import { Upload } from "./uploads.js";

const READY_MS = 4000;

/**
 * Builds the deck.
 *
 * @param {{player: import("./player.js").Player, status: object, section: HTMLElement}} parts
 * @returns {{surprise: function(): void, drop: function(File[]): void, search: HTMLInputElement}}
 */
export function start({ player, status, section }) {
  const surprise = () => player.surprise().catch(toastError);
  const uploads = el("ul", { class: "uploads", "aria-label": "Your files" });
  const search = finder({
    id: "search",
    listId: "results",
    label: "Search the library",
    verb: "Play",
    isBrowsing: true,
    onChoose: (track) => player.play(track),
    buttons: (track) => [
      iconButton("queue", `Queue ${spoken(track)}`, () => {
        player.enqueue(track);
        toast(`Queued: ${track.title}`);
      }),
    ],
  });
  const bring = (files) => bringAll(files, { player, uploads });

  section.append(
    el(
      "div",
      { class: "crate" },
      el(
        "div",
        { class: "crate-ways" },
        fileButton("file", "Play a file…", bring),
        textButton("Surprise me", surprise, {
          icon: "surprise",
          class: "button",
          disabled: !status.n_tracks,
        }),
      ),
      uploads,
      search.element,
    ),
    el("div", { class: "platter" }, stage({ player, status, surprise }), memory({ player })),
  );
  return { surprise, drop: bring, search: search.input };
}

/**
 * Makes a button that asks for audio files.
 *
 * @param {string} id of the input
 * @param {string} label
 * @param {function(File[]): void} onFiles
 * @returns {HTMLElement}
 */
export function fileButton(id, label, onFiles) {
  const input = el("input", {
    type: "file",
    id,
    class: "for-readers",
    accept: "audio/*,.mp3,.m4a,.flac,.ogg,.opus,.wav,.aiff,.ape,.wv,.mpc,.wma",
    multiple: true,
    "aria-label": label,
    tabindex: "-1",
    on: {
      change: () => {
        onFiles([...input.files]);
        input.value = "";
      },
    },
  });
  const button = textButton(label, () => input.click(), { icon: "file", class: "button" });
  return el("span", { class: "file-button" }, input, button);
}

async function bringAll(files, { player, uploads }) {
  // One after the other: the first one is heard as soon as possible.
  for (const [i, file] of files.entries()) {
    const upload = new Upload(file);
    show(upload, uploads);
    upload.heard.then((track) => player.heard(track)).catch(() => {});
    try {
      const track = await upload.sent;
      if (i === 0) player.play(track, "file");
      else player.enqueue(track, "file");
    } catch (error) {
      toast(`${file.name}: ${error.message}`);
    }
  }
}

function show(upload, list) {
  const text = el("span", { class: "upload-text" });
  const bar = el("progress", { max: 1, "aria-label": upload.name });
  const row = el("li", { class: "upload" }, text, bar);
  const tell = () => {
    const { state, progress, name, error } = upload;
    text.textContent = {
      sending: `Sending ${name}…`,
      listening: `Listening to ${name}…`,
      ready: `${name} has been listened to.`,
      failed: `${name}: ${error}`,
    }[state];
    bar.hidden = state === "ready" || state === "failed";
    bar.value = progress;
    row.dataset.state = state;
    if (state === "ready") setTimeout(() => row.remove(), READY_MS);
    if (state === "failed") setTimeout(() => row.remove(), 2 * READY_MS);
  };
  upload.addEventListener("change", tell);
  tell();
  list.append(row);
}
