/** Renders the mix of a way in the background of the server. */

import { announce, toastError } from "./announce.js";
import { api } from "./api.js";
import { clock, count, el, icon, setBusy, textButton } from "./dom.js";

const POLL_MS = 700;

/**
 * Builds the form that renders a mix.
 *
 * @param {object} parts
 * @param {object} parts.status
 * @param {function(): {tracks: object[], title: string}} parts.way what is rendered
 * @returns {HTMLElement}
 */
export function mixing({ status, way }) {
  let job = null;
  let name = "";

  const format = el(
    "select",
    { id: "mix-format", class: "field" },
    ...status.mix_formats.map((name) => el("option", { value: name }, name.toUpperCase())),
  );
  const crossfade = el("input", {
    type: "number",
    id: "mix-crossfade",
    class: "field",
    min: 0,
    max: 60,
    step: "any",
    required: true,
    value: status.crossfade_s,
    inputmode: "decimal",
  });
  const isEven = el("input", { type: "checkbox", checked: true });
  const render = textButton("Render the mix", () => begin().catch(failed), {
    icon: "mix",
    id: "render-mix",
  });
  const bar = el("progress", { id: "mix-progress", max: 1, value: 0, "aria-label": "The mix" });
  const text = el("span", { class: "mix-text" });
  const cancel = textButton("Cancel", () => end().catch(toastError), {
    id: "mix-cancel",
    class: "link-button",
  });
  const under = el("div", { class: "mix-under", hidden: true }, bar, text, cancel);
  const download = el(
    "a",
    { id: "mix-download", class: "button is-main", download: true, hidden: true },
    icon("save"),
    el("span", {}, "Download the mix"),
  );
  const note = el("p", { class: "muted", hidden: true });

  async function begin() {
    if (render.hasAttribute("aria-disabled") || !crossfade.reportValidity()) return;
    const { tracks, title } = way();
    setBusy(render, true);
    note.hidden = true;
    download.hidden = true;
    const body = {
      tracks: tracks.map(({ ref }) => ref),
      format: format.value,
      title: title.slice(0, 200),
      crossfade_s: Number(crossfade.value),
      loudness: isEven.checked ? (status.loudness ?? -14) : null,
    };
    const mine = await api.post("mixes", body);
    job = mine;
    name = title.replaceAll(" -> ", " → ");
    show();
    announce("The mix is being rendered.");
    while (job?.id === mine.id && ["waiting", "rendering"].includes(job.state)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (job?.id === mine.id) job = await api.get(`mixes/${mine.id}`);
      show();
    }
    if (job?.id !== mine.id) return;
    if (job.state === "failed") failed(new Error(job.error ?? "The mix has failed."));
    else announce("The mix is ready to download.");
  }

  async function end() {
    const { id } = job;
    job = null;
    show();
    await api.delete(`mixes/${id}`);
  }

  function failed(error) {
    job = null;
    show();
    toastError(error);
  }

  function show() {
    const isUnderWay = job?.state === "waiting" || job?.state === "rendering";
    const hadFocus = cancel === document.activeElement;
    setBusy(render, isUnderWay);
    under.hidden = !isUnderWay;
    download.hidden = job?.state !== "ready";
    note.hidden = download.hidden;
    if (isUnderWay) {
      bar.value = job.total_s ? job.done_s / job.total_s : 0;
      text.textContent =
        job.state === "waiting"
          ? "Waiting for its turn…"
          : `${clock(job.done_s)} of ${clock(job.total_s)}`;
    }
    if (job?.state === "ready") {
      download.href = `/api/v1/mixes/${job.id}/file`;
      const leftOut = job.left_out?.length
        ? ` ${count(job.left_out.length, "track")} left out.`
        : "";
      const size = `${count(job.n_tracks, "track")}, ${clock(job.duration_s)}`;
      note.textContent = `${name}: ${size}.${leftOut}`;
    }
    if (hadFocus && under.hidden) (download.hidden ? render : download).focus();
  }

  return el(
    "section",
    { class: "mix panel", "aria-labelledby": "mix-heading" },
    el("h3", { id: "mix-heading" }, "As one mix"),
    el(
      "div",
      { class: "mix-options" },
      labelled("Format", format),
      labelled("Crossfade in seconds", crossfade),
      el("label", { class: "check" }, isEven, el("span", {}, "Same loudness")),
      render,
    ),
    under,
    el("div", { class: "mix-done" }, download, note),
  );
}

/** Puts a label above a field, which has an id. */
function labelled(text, field) {
  return el("div", { class: "labelled" }, el("label", { for: field.id }, text), field);
}
