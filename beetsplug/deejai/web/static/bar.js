/** The player at the bottom of the page, in every view. */

import { announce } from "./announce.js";
import { coverOf } from "./cover.js";
import { clock, el, iconButton, setIcon, spoken } from "./dom.js";
import { store, stored } from "./storage.js";

const VOLUME_KEY = "deejai:volume";
const PAGE_TITLE = document.title;

/**
 * Builds the player bar.
 *
 * @param {object} parts
 * @param {import("./player.js").Player} parts.player
 * @param {HTMLElement} parts.section where to
 * @param {function(): void} parts.onEmpty what the play button does before anything plays
 */
export function startBar({ player, section, onEmpty }) {
  const cover = el("span", { class: "bar-cover" });
  const title = el("span", { class: "bar-title", id: "bar-title" }, "Nothing plays yet");
  const artist = el("span", { class: "bar-artist" });
  const elapsed = el("span", { class: "bar-time" }, "0:00");
  const total = el("span", { class: "bar-time" }, "0:00");
  const play = iconButton("play", "Play", () => (player.current ? player.toggle() : onEmpty()), {
    id: "play",
    class: "icon-button play-button",
  });
  const back = iconButton("back", "Back", () => player.back(), { id: "back" });
  const skip = iconButton("skip", "Skip", () => player.skip(), { id: "skip" });
  const like = iconButton("like", "Like", () => player.toggleLike(), {
    id: "like",
    "aria-pressed": "false",
  });
  const ban = iconButton("ban", "Ban: never play this", () => player.ban(), { id: "ban" });
  const seek = el("input", {
    type: "range",
    id: "seek",
    class: "slider seek",
    min: 0,
    max: 1,
    step: 1,
    value: 0,
    disabled: true,
    "aria-label": "Place in the track",
  });
  const volume = volumeSlider(player);

  section.append(
    el("h2", { class: "for-readers" }, "Player"),
    el(
      "a",
      { class: "bar-track", href: "#deck", "aria-label": "What plays: to the deck" },
      cover,
      el("span", { class: "bar-names" }, title, artist),
    ),
    el("div", { class: "bar-buttons", role: "group", "aria-label": "Playing" }, back, play, skip),
    el("div", { class: "bar-seek" }, elapsed, seek, total),
    el("div", { class: "bar-tastes", role: "group", "aria-label": "Taste" }, like, ban),
    el("div", { class: "bar-volume" }, volume),
  );

  let isSeeking = false;
  seek.addEventListener("input", () => {
    isSeeking = true;
    showTime(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    isSeeking = false;
    player.seek(Number(seek.value));
  });

  function showTrack() {
    const track = player.current;
    cover.replaceChildren(...(track ? [coverOf(track)] : []));
    title.textContent = track?.title ?? "Nothing plays yet";
    artist.textContent = track?.artist ?? "";
    seek.disabled = !track;
    for (const button of [back, skip, like, ban]) button.disabled = !track;
    showTastes();
    isSeeking = false;
    showTime(player.time);
    showState();
  }

  function showTime(time_s) {
    const duration_s = player.duration;
    seek.max = Math.max(1, Math.floor(duration_s));
    seek.value = time_s;
    seek.setAttribute("aria-valuetext", `${clock(time_s)} of ${clock(duration_s)}`);
    fill(seek);
    elapsed.textContent = clock(time_s);
    total.textContent = clock(duration_s);
  }

  function showState() {
    const label = player.isOn ? "Pause" : "Play";
    setIcon(play, player.isOn ? "pause" : "play");
    play.setAttribute("aria-label", label);
    play.title = label;
    section.dataset.state = player.state;
    document.title = player.current
      ? `${player.isOn ? "▶ " : ""}${player.current.title} · ${player.current.artist || PAGE_TITLE}`
      : PAGE_TITLE;
  }

  function showTastes() {
    const isLiked = Boolean(player.current && player.tastes.isLiked(player.current.ref));
    like.setAttribute("aria-pressed", String(isLiked));
    setIcon(like, isLiked ? "liked" : "like");
  }

  player.addEventListener("track", showTrack);
  player.addEventListener("track", () => {
    if (player.current) announce(`Now playing ${spoken(player.current)}.`);
  });
  player.addEventListener("state", showState);
  player.addEventListener("time", () => isSeeking || showTime(player.time));
  player.tastes.addEventListener("change", showTastes);
  showTrack();
}

/** Draws how much of a slider lies before its thumb. */
export function fill(slider) {
  const { min, max, value } = slider;
  const share = (value - min) / (max - min || 1);
  slider.style.setProperty("--share", String(share));
}

function volumeSlider(player) {
  const kept = Number(stored(VOLUME_KEY) ?? 1);
  player.volume = kept >= 0 && kept <= 1 ? kept : 1;
  let before = player.volume || 1;
  const slider = el("input", {
    type: "range",
    id: "volume",
    class: "slider",
    min: 0,
    max: 1,
    step: 0.01,
    value: player.volume,
    "aria-label": "Volume",
  });
  const mute = iconButton("volume", "Mute", () => set(player.volume ? 0 : before), {
    id: "mute",
    "aria-pressed": "false",
  });

  function set(volume) {
    if (volume) before = volume;
    player.volume = volume;
    slider.value = volume;
    store(VOLUME_KEY, String(volume));
    show();
  }

  function show() {
    slider.setAttribute("aria-valuetext", `${Math.round(player.volume * 100)} %`);
    mute.setAttribute("aria-pressed", String(player.volume === 0));
    setIcon(mute, player.volume ? "volume" : "mute");
    fill(slider);
  }

  slider.addEventListener("input", () => set(Number(slider.value)));
  show();
  const both = document.createDocumentFragment();
  both.append(mute, slider);
  return both;
}
