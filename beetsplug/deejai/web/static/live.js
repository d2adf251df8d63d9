/** The view that listens to the microphone and proposes what could be played next. */

import { announce } from "./announce.js";
import { el, icon, spoken, textButton } from "./dom.js";
import { saveTracks, today } from "./memory.js";
import { Microphone } from "./microphone.js";
import { queueButton, trackRow, withArrowKeys } from "./tracklist.js";

const N_PROPOSED = 5;
const MOST = 50;
const FIRST_S = 5.2;
const EVERY_S = 3;
// What the deck listens to at once is a little less.
const KEPT_S = 15.2;
const MAX_PLAYED = 20;
const QUIETEST_DB = -70;

const INTRODUCTION =
  "Let it hear what plays in the room: it proposes tracks whose beginnings would follow well.";

/**
 * Starts the view.
 *
 * @param {{api: object, player: import("./player.js").Player, section: HTMLElement}} parts
 */
export function start({ api, player, section }) {
  const label = el("span", {}, "Listen");
  const button = el(
    "button",
    { type: "button", id: "listen", class: "listen", on: { click: toggle } },
    icon("live"),
    label,
  );
  const filled = el("span");
  const meter = el(
    "div",
    {
      id: "level",
      class: "level",
      role: "meter",
      "aria-label": "Level of the microphone, in dB",
      "aria-valuemin": QUIETEST_DB,
      "aria-valuemax": 0,
    },
    filled,
  );
  const state = el("p", { id: "live-state", class: "live-state" }, INTRODUCTION);
  const rows = withArrowKeys(
    el("ol", { id: "proposals", class: "rows", "aria-label": "Proposals" }),
  );
  const number = el("span", { class: "number" }, "0");
  const firsts = el("ol", { id: "firsts", class: "rows", "aria-label": "Proposed first" });
  const kept = el(
    "details",
    { class: "panel fold", hidden: true },
    el("summary", {}, el("h3", {}, "Proposed first"), number),
    el(
      "p",
      { class: "panel-tools" },
      textButton("Save as M3U", () => saveTracks([...proposed.values()], `Live ${today()}`), {
        id: "save-live",
        class: "link-button",
      }),
    ),
    firsts,
  );
  section.append(
    el(
      "div",
      { class: "live" },
      el("div", { class: "panel live-head" }, el("h2", {}, "Live"), button, meter, state),
      el("div", { class: "live-lists" }, rows, kept),
    ),
  );

  /** The tracks that were proposed first so far, by ref, in order. */
  const proposed = new Map();
  let microphone = null;
  let request = null;
  let due_s = 0;
  let first = "";
  let waiting = null;

  async function toggle() {
    if (microphone) stop();
    else await listen();
  }

  async function listen() {
    const opening = new Microphone();
    microphone = opening;
    show("Stop", "Waiting for the microphone. Allow it if the browser asks.");
    opening.addEventListener("chunk", hear);
    opening.addEventListener("ended", () => stop("The microphone is gone. Plug it in again."));
    // The encoder takes seconds to load: so it is there when there is something to hear.
    api.get("live").catch(() => {});
    try {
      await opening.open(KEPT_S);
    } catch (error) {
      if (microphone === opening) stop(error.message);
      return;
    }
    // It may have been stopped while the browser asked.
    if (microphone !== opening) opening.close();
    else {
      due_s = FIRST_S;
      first = "";
      document.body.dataset.listening = "";
      announce("Listening");
    }
  }

  function stop(reason = "") {
    microphone?.close();
    microphone = null;
    request?.abort();
    request = null;
    delete document.body.dataset.listening;
    showLevel(QUIETEST_DB);
    show("Listen", reason || INTRODUCTION);
    announce(reason || "Stopped listening");
  }

  function show(action, text) {
    label.textContent = action;
    button.classList.toggle("on", action === "Stop");
    state.textContent = text;
  }

  function hear({ detail }) {
    showLevel(detail.level_db);
    const { recorded_s } = microphone;
    if (recorded_s < FIRST_S) {
      state.textContent = `Listening: ${Math.ceil(FIRST_S - recorded_s)} s to go.`;
    }
    if (recorded_s >= due_s && !request) {
      due_s = recorded_s + EVERY_S;
      propose();
    }
  }

  function showLevel(level_db) {
    const shown_db = Math.max(QUIETEST_DB, Math.min(0, level_db));
    meter.setAttribute("aria-valuenow", Math.round(shown_db));
    filled.style.width = `${100 * (1 - shown_db / QUIETEST_DB)}%`;
  }

  async function propose() {
    request = new AbortController();
    const { signal } = request;
    // The server does not know what is banned.
    const n = Math.min(MOST, N_PROPOSED + player.tastes.bans.size);
    const query = new URLSearchParams({ rate: microphone.rate, n });
    for (const { ref } of player.sitting.slice(-MAX_PLAYED)) query.append("played", ref);
    try {
      const answer = await api.post(`live?${query}`, microphone.samples(), { signal });
      if (!signal.aborted) take(answer);
    } catch (error) {
      if (error.name !== "AbortError") state.textContent = error.message;
    } finally {
      if (!signal.aborted) request = null;
    }
  }

  function take({ state: how, tracks, level_db, notices }) {
    const heard = how === "heard" ? `Listening: ${level_db.toFixed(0)} dB.` : "Listening:";
    const held = isBeingUsed() ? ["The list stays while you choose."] : [];
    state.textContent = [heard, ...notices, ...held].join(" ");
    const wanted = tracks.filter(({ ref }) => !player.tastes.isBanned(ref)).slice(0, N_PROPOSED);
    if (!wanted.length) return;
    const [best] = wanted;
    if (best.ref !== first) {
      first = best.ref;
      announce(`Could follow: ${spoken(best)}`);
      keep(best);
    }
    waiting = wanted;
    if (!isBeingUsed()) showProposals();
  }

  function keep(track) {
    if (proposed.has(track.ref)) return;
    proposed.set(track.ref, track);
    firsts.append(row(track));
    number.textContent = String(proposed.size);
    kept.hidden = false;
  }

  /** Whether somebody is about to press a button, which must not move away then. */
  function isBeingUsed() {
    const canHover = matchMedia("(hover: hover)").matches;
    return (canHover && rows.matches(":hover")) || rows.querySelector(":focus-visible") !== null;
  }

  function showProposals() {
    if (!waiting) return;
    rows.replaceChildren(...waiting.map((track) => row(track, track.similarity.toFixed(2))));
    waiting = null;
  }

  function row(track, note = "") {
    return trackRow(track, {
      verb: "Play",
      onChoose: () => player.play(track),
      note,
      buttons: [queueButton(track, player)],
    });
  }

  // The focus is nowhere for a moment when it moves from one row to another.
  const release = () => setTimeout(() => isBeingUsed() || showProposals());
  showLevel(QUIETEST_DB);
  rows.addEventListener("pointerleave", release);
  rows.addEventListener("focusout", release);
}
