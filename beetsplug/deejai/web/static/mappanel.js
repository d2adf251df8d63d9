/** A map with what belongs to it: colours, legend, search, lasso, and who is near. */

import { count, debounced, el } from "./dom.js";
import { createMap } from "./map.js";
import { COLOURINGS, colouring } from "./mapcolours.js";
import { RegionList } from "./mapregions.js";

const N_NEAR = 8;
const FADED = 30;
const TIP_GAP_PX = 14;
const SEARCH_MS = 120;

/**
 * @typedef {object} PanelOptions
 * @property {string} [by] what tracks are coloured by at first
 * @property {function(number): void} onPick
 * @property {function(number[]): void} onLasso none when it is given up
 */

/** A map and its controls; {@link MapPanel#setData} fills it once it is on the page. */
export class MapPanel {
  #data = null;
  #options;
  #map;
  #colouring = null;
  #chosen = null;
  #matches = null;
  #haystack = null;
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #ending = new AbortController();
  #regions = new RegionList(
    (place) => this.#chooseRegion(place),
    (areShown) => this.#map.showNames(areShown),
  );
  #findSoon = debounced(() => this.#find(), SEARCH_MS);

  /** @param {PanelOptions} options */
  constructor(options) {
    this.#options = options;
    this.#build();
    this.#map = createMap(this.canvas, {
      onHover: (index, spot) => this.#tell(index, spot),
      onClick: (index) => this.#pick(index),
      onLasso: (indices) => this.#lassoed(indices),
    });
    this.element.dataset.painter = this.#map.painter;
    const { signal } = this.#ending;
    this.#scheme.addEventListener("change", () => this.#recolour(), { signal });
  }

  /** The map itself. */
  get map() {
    return this.#map;
  }

  /**
   * Shows tracks, or the same ones elsewhere.
   *
   * @param {object} data columns: x, y, title; artist, genre and year, places in artists,
   *     genres and years; colourings; album if it is known; regions, and for each track
   *     region, its place in them or -1; caption
   */
  setData(data) {
    this.#data = data;
    this.#haystack = null;
    this.#chosen = null;
    this.#matches = null;
    this.search.value = "";
    this.found.textContent = "";
    const n = data.x.length;
    this.canvas.setAttribute(
      "aria-label",
      `Map of ${count(n, "track")}. Arrow keys move it, plus and minus zoom, 0 shows all, ` +
        `Enter picks the track in the middle. The tracks near it are listed below.`,
    );
    this.caption.textContent = data.caption;
    this.caption.hidden = !data.caption;
    this.#regions.set(data.regions);
    this.#map.setPoints(data);
    this.#map.setNames(data.regions, this.zooms);
    this.#recolour();
    this.near.parentElement.hidden = true;
  }

  /**
   * Names a track: artist and title, of which none can turn the other round.
   *
   * @returns {HTMLElement}
   */
  nameOf(index) {
    const artist = this.#data.artists[this.#data.artist[index]];
    const title = el("bdi", {}, this.#data.title[index]);
    return artist ? el("span", {}, el("bdi", {}, artist), " - ", title) : title;
  }

  /** Lists what is near to a track. */
  showNear(index) {
    this.near.replaceChildren(
      ...this.#map.nearest(index, N_NEAR + 1).map((i) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", class: "map-near-track", on: { click: () => this.#pick(i) } },
            this.nameOf(i),
          ),
        ),
      ),
    );
    this.near.parentElement.hidden = false;
  }

  /** Takes the lasso away. */
  dropLasso() {
    this.#map.dropLasso();
  }

  /** Ends everything. */
  close() {
    this.#ending.abort();
    this.#map.close();
    this.element.remove();
  }

  #build() {
    this.canvas = el("canvas", { class: "map-canvas", tabindex: "0", role: "application" });
    this.tip = el("div", { class: "map-tip", hidden: true, "aria-hidden": "true" });
    this.said = el("p", { class: "for-readers", role: "status" });
    this.found = el("span", { class: "map-found", role: "status" });
    this.search = el("input", {
      type: "search",
      class: "map-search",
      placeholder: "Find a track",
      "aria-label": "Find on the map",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "100",
      on: {
        input: this.#findSoon,
        keydown: (event) => {
          if (event.key === "Enter") this.#goToMatch();
        },
      },
    });
    this.select = el(
      "select",
      { class: "map-by", on: { change: () => this.#recolour() } },
      ...Object.entries(COLOURINGS).map(([value, name]) => el("option", { value }, name)),
    );
    this.select.value = this.#options.by ?? "genre";
    this.lasso = el(
      "button",
      {
        type: "button",
        class: "button",
        "aria-pressed": "false",
        title: "Draw around tracks (or drag with Shift)",
        on: { click: () => this.#toggleLasso() },
      },
      "Lasso",
    );
    this.legend = el("ul", { class: "map-legend" });
    this.caption = el("p", { class: "map-caption" });
    this.near = el("ol", { class: "map-near" });
    const zoom = (label, text, act) =>
      el(
        "button",
        { type: "button", class: "map-zoom", "aria-label": label, title: label, on: { click: act } },
        text,
      );
    this.zooms = el(
      "div",
      { class: "map-zooms", role: "group", "aria-label": "Zoom" },
      zoom("Zoom in", "+", () => this.#map.zoomBy(1.6)),
      zoom("Zoom out", "−", () => this.#map.zoomBy(1 / 1.6)),
      zoom("Show all", "⤢", () => this.#map.fit()),
    );
    const near = el("div", { hidden: true }, el("h2", { class: "map-title" }, "Near here"), this.near);
    /** Room for more, beside the map. */
    this.side = el("div", { class: "map-side" }, this.legend, this.#regions.element, near);
    /** What lies on the map at its lower edge. */
    this.bar = el("div", { class: "map-bar", hidden: true });
    this.element = el(
      "div",
      { class: "map-panel" },
      el(
        "div",
        { class: "map-tools" },
        el("label", { class: "map-colour" }, el("span", {}, "Colour"), this.select),
        this.search,
        this.found,
        this.lasso,
      ),
      el(
        "div",
        { class: "map-stage" },
        this.canvas,
        this.tip,
        this.zooms,
        this.bar,
        this.said,
      ),
      this.caption,
      this.side,
    );
  }

  #recolour() {
    const style = getComputedStyle(this.element.isConnected ? this.element : document.body);
    const value = (name) => style.getPropertyValue(name).trim();
    this.#map.setTheme({
      ground: value("--panel") || "Canvas",
      ink: value("--text") || "CanvasText",
      accent: value("--accent") || "Highlight",
    });
    this.#colouring = colouring(this.#data, this.select.value, this.#scheme.matches);
    this.#showLegend();
    // Lines of the legend are others now, regions are not.
    this.#pickOut(this.#chosen?.place === undefined ? null : this.#chosen);
  }

  #paintColours() {
    const { of, rank } = this.#colouring;
    const n = this.#data.x.length;
    const isLit = (i) =>
      (!this.#chosen || this.#chosen.has(i)) && (!this.#matches || this.#matches.has(i));
    const colours = new Uint8Array(4 * n);
    for (let i = 0; i < n; i++) {
      colours.set(of(i), 4 * i);
      colours[4 * i + 3] = isLit(i) ? 255 : FADED;
    }
    this.#map.setColours(colours, (i) => rank(i) + (isLit(i) ? 2 : 0));
  }

  #showLegend() {
    const { legend, years } = this.#colouring;
    const rows = legend.map((entry) => {
      const swatch = el("span", { class: "map-swatch" });
      swatch.style.background = entry.colour;
      const button = el(
        "button",
        {
          type: "button",
          class: "map-entry",
          "aria-pressed": "false",
          on: { click: () => this.#choose(entry, button) },
        },
        swatch,
        el("span", { class: "map-name" }, entry.name),
        el("span", { class: "map-number" }, entry.n.toLocaleString("en")),
      );
      return el("li", {}, button);
    });
    if (years) rows.unshift(el("li", {}, this.#ramp(years)));
    this.legend.replaceChildren(...rows);
  }

  #ramp({ first, last, stops }) {
    const bar = el("div", { class: "map-ramp-bar" });
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    return el(
      "div",
      { class: "map-ramp" },
      bar,
      el("span", {}, String(first)),
      el("span", {}, String(last)),
    );
  }

  #choose(entry, button) {
    const isChosen = this.#chosen === entry;
    this.#pickOut(isChosen ? null : entry);
    button.setAttribute("aria-pressed", String(!isChosen));
  }

  #chooseRegion(place) {
    if (place < 0) {
      this.#pickOut(null);
      return;
    }
    const { name, evidence } = this.#data.regions[place];
    const regionOf = this.#data.region;
    this.#pickOut({ place, has: (i) => regionOf[i] === place });
    this.#map.zoomToAll(regionOf.flatMap((each, i) => (each === place ? [i] : [])));
    // On a phone the list is a long way below the map.
    this.canvas.scrollIntoView({ block: "nearest" });
    this.said.replaceChildren(el("bdi", {}, name), `: ${evidence}`);
  }

  /** Fades all tracks but some: those of a line of the legend, or of a region. */
  #pickOut(chosen) {
    for (const button of this.legend.querySelectorAll("[aria-pressed]")) {
      button.setAttribute("aria-pressed", "false");
    }
    this.#regions.press(chosen?.place ?? -1);
    this.#chosen = chosen;
    this.#paintColours();
  }

  #find() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      this.#matches = null;
      this.found.textContent = "";
    } else {
      this.#haystack ??= this.#data.title.map((title, i) => this.#textOf(title, i));
      const rows = this.#haystack.flatMap((text, i) =>
        words.every((word) => text.includes(word)) ? [i] : [],
      );
      this.#matches = new Set(rows);
      this.found.textContent = `${rows.length.toLocaleString("en")} found`;
    }
    this.#paintColours();
  }

  #textOf(title, i) {
    const { artist, artists, genre, genres, album, year, years } = this.#data;
    const parts = [title, artists[artist[i]], album?.[i], genres[genre[i]], years[year[i]]];
    return parts.filter(Boolean).join("\n").toLowerCase();
  }

  #goToMatch() {
    this.#find();
    const [first] = this.#matches ?? [];
    if (first === undefined) return;
    this.#map.zoomTo(first);
    this.showNear(first);
  }

  #tell(index, { x, y }) {
    this.tip.hidden = index < 0;
    if (index < 0) return;
    const artist = this.#data.artists[this.#data.artist[index]];
    this.tip.replaceChildren(
      el("strong", {}, this.#data.title[index]),
      artist ? el("span", {}, artist) : "",
    );
    const { clientWidth, clientHeight } = this.canvas.parentElement;
    const { offsetWidth, offsetHeight } = this.tip;
    const isRight = x + TIP_GAP_PX + offsetWidth > clientWidth;
    const left = isRight ? x - TIP_GAP_PX - offsetWidth : x + TIP_GAP_PX;
    const top = y - offsetHeight / 2;
    this.tip.style.left = `${Math.max(4, left)}px`;
    this.tip.style.top = `${Math.min(Math.max(4, top), clientHeight - offsetHeight - 4)}px`;
    if (document.activeElement === this.canvas && this.canvas.matches(":focus-visible")) {
      this.said.replaceChildren(this.nameOf(index));
      this.showNear(index);
    }
  }

  #pick(index) {
    this.#options.onPick(index);
  }

  #toggleLasso() {
    this.#map.isLassoing = !this.#map.isLassoing;
    this.lasso.setAttribute("aria-pressed", String(this.#map.isLassoing));
    this.canvas.classList.toggle("is-lassoing", this.#map.isLassoing);
    if (!this.#map.isLassoing) this.#map.dropLasso();
  }

  #lassoed(indices) {
    if (this.#map.isLassoing && indices.length) {
      this.#map.isLassoing = false;
      this.lasso.setAttribute("aria-pressed", "false");
      this.canvas.classList.remove("is-lassoing");
    }
    this.#options.onLasso(indices);
  }
}
