/** A search field with what it finds, as one types. */

import { announce } from "./announce.js";
import { api } from "./api.js";
import { count, debounced, el, icon, textButton } from "./dom.js";
import { trackRow, withArrowKeys } from "./tracklist.js";

const TYPING_MS = 180;
const PAGE = 30;

/**
 * Makes a search.
 *
 * @param {object} options
 * @param {string} options.id of the input
 * @param {string} options.listId of the list of results
 * @param {string} options.label of the input
 * @param {string} options.verb what a click on a result does
 * @param {function(object): void} options.onChoose does it
 * @param {function(object): HTMLElement[]} [options.buttons] further buttons of a result
 * @param {boolean} [options.isBrowsing] shows the whole library while nothing is typed
 * @returns {{element: HTMLElement, input: HTMLInputElement, clear: function(): void}}
 */
export function finder(options) {
  const { id, listId, label, verb, onChoose, buttons = () => [], isBrowsing = false } = options;
  let request = null;
  let tracks = [];
  let foundFor = "";

  const input = el("input", {
    type: "search",
    id,
    class: "search-input",
    placeholder: "Search your library",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    "aria-describedby": `${id}-note`,
  });
  const note = el("p", { class: "search-note", id: `${id}-note` });
  const list = withArrowKeys(el("ol", { class: "rows", id: listId, "aria-label": "Results" }));
  const more = textButton("More", () => find(tracks.length), {
    hidden: true,
    class: "button more",
  });
  const element = el(
    "div",
    { class: "finder", role: "search", "aria-label": label },
    el("label", { for: id, class: "for-readers" }, label),
    el("div", { class: "search-field" }, icon("search"), input),
    note,
    el("div", { class: "found" }, list, more),
  );

  async function find(offset = 0) {
    request?.abort();
    const q = input.value.trim();
    element.classList.toggle("is-idle", !q);
    if (!q && !isBrowsing) {
      show([], 0, 0);
      note.textContent = "";
      return;
    }
    request = new AbortController();
    const { signal } = request;
    try {
      const found = await api.get("search", { q, limit: PAGE, offset }, { signal });
      foundFor = q;
      show(found.tracks, found.total, offset);
      const what = q ? `${count(found.total, "track")} found` : count(found.total, "track");
      tell(found.total ? what : q ? `Nothing matches “${q}”` : "The library is empty", q);
    } catch (error) {
      // A query is often wrong only because it is half typed: what was found stays.
      if (error.name !== "AbortError") tell(error.message, q);
    }
  }

  function tell(text, q) {
    note.textContent = text;
    if (q) announce(text);
  }

  function show(found, total, offset) {
    if (!offset) list.replaceChildren();
    const firstNew = found.map((track) =>
      list.appendChild(trackRow(track, { verb, onChoose, buttons: buttons(track) })),
    )[0];
    tracks = offset ? [...tracks, ...found] : found;
    const isFocused = document.activeElement === more;
    more.hidden = tracks.length >= total || !found.length;
    if (isFocused) firstNew?.querySelector("button")?.focus();
    if (!offset) list.scrollTop = 0;
  }

  const findSoon = debounced(() => find(), TYPING_MS);
  input.addEventListener("input", findSoon);
  async function chooseFirst() {
    const q = input.value.trim();
    if (q && q !== foundFor) await find();
    if (q && q === foundFor && tracks[0]) onChoose(tracks[0]);
  }

  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") chooseFirst();
    else if (event.key === "ArrowDown" && tracks[0]) list.querySelector("button")?.focus();
    else if (event.key === "Escape" && !input.value) input.blur();
    else return;
    event.preventDefault();
  });
  find();

  return {
    element,
    input,
    clear() {
      input.value = "";
      find();
    },
  };
}
