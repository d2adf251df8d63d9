/** The journey: waypoints, and the way through them. */

import { announce, toast, toastError } from "./announce.js";
import { fileButton } from "./deck.js";
import { clock, count, el, setBusy, textButton } from "./dom.js";
import { finder } from "./finder.js";
import { drunkKnob } from "./knobs.js";
import { saveTracks } from "./memory.js";
import { mixing } from "./mixing.js";
import { Upload } from "./uploads.js";
import { noWay, wayDrawing, wayList } from "./way.js";
import { Waypoints } from "./waypoints.js";

const DEFAULT_MINUTES = 60;
const MOST_STEPS = 200;

/**
 * Builds the journey.
 *
 * @param {{api: object, player: import("./player.js").Player, status: object, section: HTMLElement}} parts
 * @returns {{drop: function(File[]): void}}
 */
export function start({ api, player, status, section }) {
  const waypoints = new Waypoints();
  const amount = amountFields(status);
  let drunk = status.drunk;
  let way = null;

  const search = finder({
    id: "waypoint-search",
    listId: "waypoint-results",
    label: "Search for a waypoint",
    verb: "Add",
    onChoose(track) {
      waypoints.add(track);
      search.clear();
      search.input.focus();
    },
  });
  const addPlaying = textButton("Add what plays", () => waypoints.add({ ...player.current }), {
    icon: "add",
    id: "add-playing",
  });
  const show = textButton("Show the way", () => find().catch(toastError), {
    icon: "journey",
    id: "show-way",
    class: "button is-main",
  });
  const hint = el("p", { class: "muted" });
  const result = el("div", { class: "journey-result" }, noWay());
  // One for all ways: what it renders goes on while another way is shown.
  const mix = status.mix_formats.length ? mixing({ status, way: () => way }) : null;

  section.append(
    el(
      "div",
      { class: "journey-plan" },
      el("h2", {}, "Journey"),
      search.element,
      el(
        "div",
        { class: "crate-ways" },
        fileButton("waypoint-file", "Add a file…", bring),
        addPlaying,
      ),
      waypoints.element,
      hint,
      el(
        "div",
        { class: "journey-options" },
        amount.element,
        drunkKnob({
          id: "journey-drunk",
          value: drunk,
          hint: "How much chance there is in the way.",
          onChange: (value) => {
            drunk = value;
          },
        }),
      ),
      show,
    ),
    result,
  );

  function showPlan() {
    const n = waypoints.tracks.length;
    addPlaying.disabled = !player.current;
    show.disabled = n < 2;
    hint.hidden = n > 1;
    hint.textContent = n
      ? "One more, and there is a way."
      : "A journey starts and ends exactly where you say, and passes through all between.";
  }

  function bring(files) {
    for (const file of files) {
      const upload = new Upload(file);
      upload.sent
        .then((sent) => {
          const track = { ...sent, upload };
          waypoints.add(track);
          upload.addEventListener("change", () => {
            Object.assign(track, upload.track);
            waypoints.refresh(track);
          });
          upload.heard.catch((error) => {
            waypoints.remove(track);
            toast(`${file.name}: ${error.message}`);
          });
        })
        .catch((error) => toast(`${file.name}: ${error.message}`));
    }
  }

  async function find() {
    if (show.hasAttribute("aria-disabled") || !amount.isSound()) return;
    setBusy(show, true);
    result.setAttribute("aria-busy", "true");
    try {
      const waiting = waypoints.tracks.map(({ upload }) => upload?.heard).filter(Boolean);
      await Promise.all(waiting);
      way = await api.post("journey", {
        waypoints: waypoints.tracks.map(({ ref }) => ref),
        ...amount.value(),
        drunk,
        seed: drunk ? crypto.getRandomValues(new Uint32Array(1))[0] : 0,
        not: [...player.tastes.bans.keys()],
      });
    } finally {
      result.removeAttribute("aria-busy");
      setBusy(show, false);
    }
    way.notices.forEach((notice) => toast(notice));
    showWay();
    const refs = way.tracks.map(({ ref }) => ref);
    window.dispatchEvent(new CustomEvent("deejai-journey", { detail: { refs } }));
    announce(`The way has ${count(way.tracks.length, "track")}.`);
  }

  function showWay() {
    const { tracks, title } = way;
    const length_s = tracks.reduce((sum, track) => sum + track.length_s, 0);
    const play = (i) => player.playList(tracks.slice(i));
    result.replaceChildren(
      el(
        "div",
        { class: "way-head" },
        el(
          "div",
          { class: "way-names" },
          el("h3", { class: "way-title" }, title.replaceAll(" -> ", " → ")),
          el("p", { class: "muted" }, `${count(tracks.length, "track")}, ${clock(length_s)}`),
        ),
        textButton("Play", () => play(0), {
          icon: "play",
          id: "play-way",
          class: "button is-main",
        }),
        textButton("Save as M3U", () => saveTracks(tracks, title), {
          icon: "save",
          id: "save-way",
        }),
      ),
      wayDrawing(tracks),
      wayList(tracks, play, player.current?.ref),
      ...(mix ? [mix] : []),
    );
    // On a phone the way is below what was pressed.
    if (result.getBoundingClientRect().top > window.innerHeight / 2) result.scrollIntoView();
  }

  function markCurrent() {
    for (const row of result.querySelectorAll(".row, circle")) {
      if (row.dataset.ref === player.current?.ref) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  waypoints.addEventListener("change", showPlan);
  player.addEventListener("track", () => {
    showPlan();
    markCurrent();
  });
  showPlan();
  return { drop: bring };
}

/** How long the journey is: tracks between each two waypoints, or minutes in all. */
function amountFields({ n_steps: nSteps }) {
  const number = (id, properties) =>
    el("input", {
      type: "number",
      id,
      class: "field",
      inputmode: "numeric",
      required: true,
      ...properties,
    });
  const steps = number("way-steps", { min: 0, max: MOST_STEPS, value: nSteps });
  const minutes = number("way-minutes", { min: 1, max: 1440, value: DEFAULT_MINUTES });
  const radio = (value, isChecked) =>
    el("input", { type: "radio", name: "way-amount", value, checked: isChecked });
  const bySteps = radio("steps", true);
  const byMinutes = radio("minutes", false);
  steps.addEventListener("input", () => (bySteps.checked = true));
  minutes.addEventListener("input", () => (byMinutes.checked = true));
  steps.setAttribute("aria-label", "Tracks between each two");
  minutes.setAttribute("aria-label", "Minutes in all");
  const line = (choice, text, field) =>
    el(
      "div",
      { class: "amount" },
      el("label", { class: "check" }, choice, el("span", {}, text)),
      field,
    );
  return {
    element: el(
      "fieldset",
      { class: "amounts" },
      el("legend", { class: "knob-label" }, "How long"),
      line(bySteps, "Tracks between", steps),
      line(byMinutes, "Minutes in all", minutes),
    ),
    /** Whether it can be sent; if not, the browser says why beside the field. */
    isSound: () => (byMinutes.checked ? minutes : steps).reportValidity(),
    value: () =>
      byMinutes.checked ? { length_s: 60 * Number(minutes.value) } : { n: Number(steps.value) },
  };
}
