/** The map of the library, as a view of the deck. */

import { announce, toast, toastError } from "./announce.js";
import { count, el, textButton } from "./dom.js";
import { MapPanel } from "./mappanel.js";
import { saveTracks } from "./memory.js";

const POLL_MS = 700;
const MAX_ORDERED = 500;

/**
 * Starts the view.
 *
 * @param {{api: object, player: import("./player.js").Player, section: HTMLElement}} parts
 */
export async function start({ api, player, section }) {
  const view = new MapPage(api, player, section);
  await view.load();
  return null;
}

class MapPage {
  #api;
  #player;
  #section;
  #panel = null;
  #data = null;
  #rowOf = new Map();
  #journey = [];
  #lassoed = [];
  #hasAsked = false;

  constructor(api, player, section) {
    this.#api = api;
    this.#player = player;
    this.#section = section;
    player.addEventListener("track", () => this.#showCurrent());
    player.addEventListener("queue", () => this.#showWay());
    window.addEventListener("deejai-journey", ({ detail }) => {
      this.#journey = detail.refs ?? [];
      this.#showWay();
    });
  }

  /** Fetches the map and shows it, or how far it is. */
  async load() {
    const answer = await this.#api.get("map");
    if (answer.state === "making") {
      this.#showProgress(answer.progress);
      setTimeout(() => this.#poll(), POLL_MS);
      return;
    }
    if (answer.error) toast(answer.error);
    if (answer.state === "none") this.#offer(answer.reason);
    else this.#show(answer);
  }

  async #poll() {
    try {
      await this.load();
    } catch (error) {
      // One answer that is lost is no reason to look no more.
      if (error.status) toastError(error);
      else setTimeout(() => this.#poll(), POLL_MS);
    }
  }

  async #make() {
    try {
      await this.#api.post("map");
      await this.load();
    } catch (error) {
      toastError(error);
    }
  }

  #offer(reason) {
    this.#panel?.close();
    this.#panel = null;
    const what =
      "The map puts tracks that sound alike near to each other. It is made once, which " +
      "takes a minute for 20,000 tracks; new tracks find their places on it later.";
    this.#section.replaceChildren(
      el(
        "div",
        { class: "map-making" },
        el("h2", {}, "Map"),
        el("p", {}, reason || what),
        reason ? null : textButton("Make the map", () => this.#make()),
      ),
    );
  }

  #showProgress(progress) {
    const percent = Math.round(100 * progress);
    let bar = this.#section.querySelector("progress");
    if (!bar) {
      bar = el("progress", { max: "100", "aria-label": "Making the map" });
      const making = el("div", { class: "map-making" }, el("p", {}, "Making the map…"), bar);
      // Places are found beside the map that there is.
      if (this.#panel) this.#section.prepend(making);
      else this.#section.replaceChildren(making);
      announce("Making the map");
    }
    bar.value = percent;
  }

  #show(data) {
    this.#data = data;
    this.#rowOf = new Map(data.refs.map((ref, row) => [ref, row]));
    if (this.#panel) {
      this.#section.querySelector(".map-making")?.remove();
    } else {
      this.#panel = new MapPanel({
        onPick: (row) => this.#play(row),
        onLasso: (rows) => this.#offerLassoed(rows),
      });
      this.#section.replaceChildren(this.#panel.element);
    }
    this.#panel.setData(data);
    this.#offerLassoed([]);
    this.#showCurrent();
    this.#showWay();
    if (data.n_unplaced && !this.#hasAsked) {
      this.#hasAsked = true;
      toast(`Finding places for ${count(data.n_unplaced, "new track")}.`);
      this.#make();
    }
  }

  async #play(row) {
    this.#panel.showNear(row);
    try {
      const track = await this.#api.get(`tracks/${this.#data.refs[row]}`);
      this.#player.play(track);
    } catch (error) {
      toastError(error);
    }
  }

  #showCurrent() {
    if (!this.#panel) return;
    const row = this.#rowOf.get(this.#player.current?.ref) ?? -1;
    this.#panel.map.setCurrent(row);
    if (row >= 0) this.#panel.showNear(row);
    this.#showWay();
  }

  /** Draws what is going to be played, else the last journey. */
  #showWay() {
    if (!this.#panel) return;
    const { current, queue } = this.#player;
    const refs = queue.length
      ? [current, ...queue].filter(Boolean).map(({ ref }) => ref)
      : this.#journey;
    const rows = refs.map((ref) => this.#rowOf.get(ref)).filter((row) => row !== undefined);
    this.#panel.map.setPath(rows);
  }

  #offerLassoed(rows) {
    const { bar } = this.#panel;
    this.#lassoed = rows;
    bar.hidden = !rows.length;
    if (!rows.length) return;
    bar.replaceChildren(
      el("span", { role: "status" }, count(rows.length, "track")),
      textButton("Play these", () => this.#playLassoed()),
      textButton("Save as M3U", () => this.#saveLassoed()),
      textButton("Clear", () => this.#panel.dropLasso()),
    );
    announce(`${count(rows.length, "track")} in the lasso`);
  }

  /**
   * Fetches what is in the lasso, each track followed by one that sounds like it.
   *
   * @returns {Promise<{tracks: object[], others: {ref: string}[]}>} others are those that
   *     are too many to be ordered
   */
  async #ordered() {
    const refs = this.#lassoed.map((row) => this.#data.refs[row]);
    const body = { tracks: refs.slice(0, MAX_ORDERED) };
    const { tracks } = await this.#api.post("map/tracks", body);
    return { tracks, others: refs.slice(MAX_ORDERED).map((ref) => ({ ref })) };
  }

  async #playLassoed() {
    try {
      const { tracks, others } = await this.#ordered();
      this.#panel.dropLasso();
      this.#player.playList(tracks);
      if (others.length) toast(`The first ${MAX_ORDERED} are played.`);
    } catch (error) {
      toastError(error);
    }
  }

  async #saveLassoed() {
    try {
      const { tracks, others } = await this.#ordered();
      await saveTracks([...tracks, ...others], "From the map");
      if (others.length) toast(`Only the first ${MAX_ORDERED} are in a smooth order.`);
    } catch (error) {
      toastError(error);
    }
  }
}
