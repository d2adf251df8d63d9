/** The map of the library, as a view of the deck. */

import { announce, toast, toastError } from "./announce.js";
import { count, el, textButton } from "./dom.js";
import { smoothOrder } from "./mapgeometry.js";
import { MapPanel } from "./mappanel.js";

const POLL_MS = 700;
const MAX_PLAYED = 200;
const MAX_ORDERED = 3000;

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
      setTimeout(() => this.load().catch(toastError), POLL_MS);
      return;
    }
    if (answer.error) toast(answer.error);
    if (answer.state === "none") this.#offer(answer.reason);
    else this.#show(answer);
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
      this.#panel.setData(data);
    } else {
      this.#panel = new MapPanel({
        data,
        onPick: (row) => this.#play(row),
        onLasso: (rows) => this.#offerLassoed(rows),
      });
      this.#section.replaceChildren(this.#panel.element);
      this.#panel.setData(data);
    }
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

  /** The refs in the lasso, each followed by what is near to it. */
  get #lassoedRefs() {
    const { x, y, refs } = this.#data;
    const isFew = this.#lassoed.length <= MAX_ORDERED;
    const rows = isFew ? smoothOrder(x, y, this.#lassoed) : this.#lassoed;
    return rows.map((row) => refs[row]);
  }

  async #playLassoed() {
    const refs = this.#lassoedRefs;
    try {
      const body = { tracks: refs.slice(0, MAX_PLAYED) };
      const { tracks } = await this.#api.post("map/tracks", body);
      this.#panel.dropLasso();
      this.#player.playList(tracks);
      if (refs.length > MAX_PLAYED) toast(`The first ${MAX_PLAYED} are played.`);
    } catch (error) {
      toastError(error);
    }
  }

  async #saveLassoed() {
    try {
      const body = { tracks: this.#lassoedRefs, title: "From the map" };
      await this.#api.save("playlists.m3u8", body, "map.m3u8");
    } catch (error) {
      toastError(error);
    }
  }
}
