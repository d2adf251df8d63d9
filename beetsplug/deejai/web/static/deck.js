/** The deck: search or drop something, it plays, and the next ones follow. */

import { announce, toast, toastError } from "./announce.js";
import { el, textButton } from "./dom.js";
import { finder } from "./finder.js";
import { memory } from "./memory.js";
import { stage } from "./stage.js";
import { queueButton } from "./tracklist.js";
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
    buttons: (track) => [queueButton(track, player)],
  });
  const bring = (files) => bringAll(files, { player, uploads });
  const chance = textButton("Surprise me", surprise, {
    icon: "surprise",
    class: "button",
    disabled: !status.n_allowed,
  });
  window.addEventListener("deejai-status", () => {
    chance.disabled = !status.n_allowed;
  });

  section.append(
    el(
      "div",
      { class: "crate" },
      el(
        "div",
        { class: "crate-ways" },
        fileButton("file", "Play a file…", bring),
        chance,
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
    upload.heard.then(
      (track) => player.heard(track),
      () => upload.track && player.cannotHear(upload.track),
    );
    // Its row tells why it cannot be played.
    const track = await upload.sent.catch(() => null);
    if (track && i === 0) player.play(track, "file");
    else if (track) player.enqueue(track, "file");
  }
}

function show(upload, list) {
  const text = el("span");
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
    if (state === "failed") {
      setTimeout(() => row.remove(), 2 * READY_MS);
      // In another view the row is not seen.
      if (row.checkVisibility()) announce(text.textContent);
      else toast(text.textContent);
    }
  };
  upload.addEventListener("change", tell);
  tell();
  list.append(row);
}
