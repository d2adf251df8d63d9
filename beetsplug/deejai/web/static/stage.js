/** What plays, large, with the knobs and what comes next. */

import { coverOf } from "./cover.js";
import { count, el, iconButton, setBusy, spoken, textButton } from "./dom.js";
import { drunkKnob, keepOnKnob } from "./knobs.js";
import { trackRow } from "./tracklist.js";

const REASONS = {
  picked: "You picked it.",
  queued: "You queued it.",
  file: "You brought it along.",
  random: "Picked by chance.",
  way: "It is on the list you play.",
  live: "It fits what played before.",
};

const NEXT_NOTES = {
  none: "What comes next shows here.",
  ready: "",
  choosing: "Choosing…",
  listening: "Listening to your file; then the next track is chosen.",
  exhausted: "Everything has been played. Lift a ban, or queue something.",
};

/**
 * Builds the stage.
 *
 * @param {{player: import("./player.js").Player, status: object, surprise: function(): void}} parts
 * @returns {HTMLElement}
 */
export function stage({ player, status, surprise }) {
  const element = el("div", { class: "stage" }, playing(player, status, surprise));
  element.append(
    el(
      "div",
      { class: "knobs panel", role: "group", "aria-label": "Knobs" },
      keepOnKnob({
        id: "keep-on",
        value: status.keep_on,
        onChange: (keepOn) => player.setKnobs({ keepOn }),
      }),
      drunkKnob({
        id: "drunk",
        value: status.drunk,
        hint: "How much chance there is in the choice.",
        onChange: (drunk) => player.setKnobs({ drunk }),
      }),
    ),
    next(player),
  );
  return element;
}

function playing(player, status, surprise) {
  const cover = el("div", { class: "now-cover" });
  const eyebrow = el("span", {});
  const title = el("h2", { id: "now-title", class: "now-title", tabindex: "-1" });
  const artist = el("p", { id: "now-artist", class: "now-artist" });
  const album = el("p", { id: "now-album", class: "now-album" });
  const why = el("p", { id: "why", class: "why" });
  const something = textButton("Play something", surprise, {
    icon: "play",
    id: "surprise",
    class: "button is-main is-large",
  });
  const start = el("p", { class: "start-buttons" }, something);
  const element = el(
    "div",
    { class: "now" },
    cover,
    el(
      "div",
      { class: "now-names" },
      el("p", { class: "eyebrow" }, beat(), eyebrow),
      title,
      artist,
      album,
      why,
      start,
    ),
  );

  function show() {
    const track = player.current;
    element.classList.toggle("is-empty", !track);
    something.disabled = !status.n_allowed;
    if (track && start.contains(document.activeElement)) title.focus();
    start.hidden = Boolean(track);
    const glow = track ? coverOf(track) : null;
    glow?.classList.add("glow");
    cover.replaceChildren(...(track ? [glow, coverOf(track)] : [record()]));
    title.textContent = track?.title ?? "Press play, and it keeps playing";
    artist.textContent = track ? track.artist : greeting(status);
    album.textContent = track ? [track.album, track.year].filter(Boolean).join(" · ") : "";
    why.replaceChildren(...(track ? reasonOf(track) : []));
    showState();
  }

  function showState() {
    element.dataset.state = player.state;
    eyebrow.textContent = {
      idle: "",
      loading: "Starting…",
      playing: "Now playing",
      paused: "Paused",
      waiting: "That was",
    }[player.state];
  }

  player.addEventListener("track", show);
  player.addEventListener("state", showState);
  window.addEventListener("deejai-status", () => player.current || show());
  show();
  return element;
}

function greeting({ n_allowed: n, n_tracks: heard, n_items: all, reason }) {
  if (!n) return reason || "No track may be played. Pick one, or drop a file of your own.";
  const more = count(all - heard, "more", "more");
  const unheard = all > heard ? ` (${more}, not listened to yet)` : "";
  return `${count(n, "track")} ready${unheard}. Pick one, drop a file of your own, or be surprised.`;
}

/** Bars that move while it plays. */
function beat() {
  return el("span", { class: "beat", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}

function record() {
  return el("span", { class: "cover record", "aria-hidden": "true" });
}

function reasonOf({ reason, why = [] }) {
  if (!why.length) return [REASONS[reason] ?? ""];
  const parts = why.flatMap((cause, i) => {
    const joint = i === 0 ? "" : i === why.length - 1 ? " and " : ", ";
    const title = el("b", { title: spoken(cause) }, cause.title);
    return [joint, title, "\u00a0", similarity(cause)];
  });
  return ["Chosen to follow ", ...parts];
}

function similarity({ similarity: value }) {
  return el(
    "span",
    { class: "similarity", title: "Cosine similarity" },
    typeof value === "number" ? value.toFixed(2) : "",
  );
}

function next(player) {
  const coming = el("div", { class: "next-track" });
  const queue = el("ol", { class: "rows", id: "queue", "aria-label": "Queue" });
  const another = iconButton("another", "Choose another one", () => player.passOver(), {
    id: "another",
  });
  const clear = textButton("Clear the queue", () => player.clearQueue(), {
    id: "clear-queue",
    class: "link-button",
  });
  const element = el(
    "section",
    { class: "next panel", "aria-labelledby": "next-heading" },
    el("div", { class: "panel-head" }, el("h3", { id: "next-heading" }, "Next"), clear),
    el("div", { class: "next-line" }, coming, another),
    queue,
  );

  function show() {
    const track = player.next;
    const isChoosing = player.nextState === "choosing";
    const focused = [...queue.children].findIndex((row) => row.contains(document.activeElement));
    const hadFocus = focused >= 0 || document.activeElement === clear;
    setBusy(another, !track);
    element.classList.toggle("is-choosing", isChoosing);
    const title = el("span", { id: "next-title", class: "row-title" });
    title.textContent = track?.title ?? "";
    const names = el("div", { class: "row-names" }, title);
    if (!track) {
      const text = NEXT_NOTES[player.nextState] ?? player.nextError;
      names.append(el("span", { class: "muted" }, text));
    }
    coming.replaceChildren(names);
    if (track) {
      coming.prepend(coverOf(track));
      if (track.artist) names.append(el("span", { class: "row-artist" }, track.artist));
      if (track.reason === "live") coming.append(similarity(track));
    }
    const rest = player.queue.slice(1);
    clear.hidden = player.queue.length === 0;
    queue.hidden = rest.length === 0;
    queue.replaceChildren(
      ...rest.map((each, i) =>
        trackRow(each, {
          buttons: [
            iconButton("close", `Take ${spoken(each)} out of the queue`, () =>
              player.removeQueued(i + 1),
            ),
          ],
        }),
      ),
    );
    // What had the focus may be gone; its neighbour takes it.
    if (hadFocus && (focused >= 0 || clear.hidden)) {
      const heir = queue.children[Math.min(focused, rest.length - 1)];
      (heir?.querySelector("button") ?? another).focus();
    }
  }

  player.addEventListener("queue", show);
  show();
  return element;
}
