/** The regions of the map as a list, for who reads it and who has no pointer. */

import { el } from "./dom.js";

/** A list of buttons, of which at most one is pressed. */
export class RegionList {
  #list = el("ul", { class: "map-legend map-regions" });
  #rows = [];
  #onChoose;
  #box = el("input", { type: "checkbox", checked: true });

  /** The list with its heading; hidden while there are no regions. */
  element = el(
    "div",
    { hidden: true },
    el("h2", { class: "map-title" }, "Regions"),
    el("label", { class: "map-switch" }, this.#box, "Names on the map"),
    this.#list,
  );

  /**
   * @param {function(number): void} onChoose the place of a region; -1 for none
   * @param {function(boolean): void} onSwitch whether names are to be on the map
   */
  constructor(onChoose, onSwitch) {
    this.#onChoose = onChoose;
    this.#box.addEventListener("change", () => onSwitch(this.#box.checked));
  }

  /**
   * Lists regions.
   *
   * @param {{name: string, n_tracks: number, evidence: string}[]} regions
   */
  set(regions) {
    this.#rows = regions.map((region, i) => {
      const evidence = el("p", { class: "map-evidence", hidden: true }, region.evidence);
      const button = el(
        "button",
        {
          type: "button",
          class: "map-entry",
          "aria-pressed": "false",
          title: region.evidence,
          on: { click: () => this.#toggle(i) },
        },
        el("span", { class: "map-name", dir: "auto" }, region.name),
        el("span", { class: "map-number" }, region.n_tracks.toLocaleString("en")),
      );
      return { button, evidence };
    });
    const rows = this.#rows.map(({ button, evidence }) => el("li", {}, button, evidence));
    this.#list.replaceChildren(...rows);
    this.element.hidden = !regions.length;
  }

  /** Presses a region; -1 presses none. */
  press(pressed) {
    this.#rows.forEach(({ button, evidence }, i) => {
      button.setAttribute("aria-pressed", String(i === pressed));
      evidence.hidden = i !== pressed;
    });
  }

  #toggle(i) {
    const isPressed = this.#rows[i].button.getAttribute("aria-pressed") === "true";
    this.#onChoose(isPressed ? -1 : i);
  }
}
