/** A list of waypoints that can be put in order, by pointer or by buttons. */

import { announce } from "./announce.js";
import { coverOf } from "./cover.js";
import { el, icon, iconButton, spoken } from "./dom.js";

/** The waypoints. Dispatches `change` when there are others, or in another order. */
export class Waypoints extends EventTarget {
  #tracks = [];
  /** The line below the title, by track. */
  #notes = new Map();

  constructor() {
    super();
    this.element = el("ol", {
      class: "waypoints",
      id: "waypoints",
      tabindex: "-1",
      "aria-label": "Waypoints",
    });
  }

  /** The tracks, in order; one that is being listened to has `upload`. */
  get tracks() {
    return [...this.#tracks];
  }

  /** Adds a track at the end. */
  add(track) {
    this.#tracks.push(track);
    this.#changed();
    announce(`${spoken(track)} is waypoint ${this.#tracks.length}.`);
  }

  /** Shows how far a waypoint has been listened to. */
  refresh(track) {
    const note = this.#notes.get(track);
    // The row itself stays: it may have the focus, or be under way to another place.
    if (note) note.textContent = noteOf(track);
  }

  /** Takes one of them away. */
  remove(track) {
    const at = this.#tracks.indexOf(track);
    if (at < 0) return;
    const hadFocus = this.element.contains(document.activeElement);
    this.#tracks.splice(at, 1);
    this.#changed();
    const heir = this.element.children[Math.min(at, this.#tracks.length - 1)];
    if (hadFocus) (heir?.querySelector(".remove") ?? this.element).focus();
    announce(`${spoken(track)} is no waypoint any more.`);
  }

  #move(track, step) {
    const from = this.#tracks.indexOf(track);
    const to = from + step;
    if (to < 0 || to >= this.#tracks.length) return;
    this.#tracks.splice(to, 0, ...this.#tracks.splice(from, 1));
    this.#changed();
    const row = this.element.children[to];
    const [wanted, other] = step < 0 ? [".up", ".down"] : [".down", ".up"];
    const button = row.querySelector(wanted);
    (button.disabled ? row.querySelector(other) : button).focus();
    announce(`${spoken(track)} is waypoint ${to + 1} of ${this.#tracks.length}.`);
  }

  #changed() {
    this.#notes.clear();
    this.element.replaceChildren(...this.#tracks.map((track, i) => this.#row(track, i)));
    this.dispatchEvent(new Event("change"));
  }

  #row(track, i) {
    const grip = el("span", { class: "grip", "aria-hidden": "true" }, icon("grip"));
    const note = el("span", { class: "row-artist" }, noteOf(track));
    this.#notes.set(track, note);
    const row = el(
      "li",
      { class: "waypoint", "data-ref": track.ref },
      grip,
      coverOf(track),
      el(
        "span",
        { class: "row-names" },
        el("span", { class: "row-title" }, track.title),
        note,
      ),
      iconButton("up", `Move ${spoken(track)} up`, () => this.#move(track, -1), {
        class: "icon-button up",
        disabled: i === 0,
      }),
      iconButton("down", `Move ${spoken(track)} down`, () => this.#move(track, 1), {
        class: "icon-button down",
        disabled: i === this.#tracks.length - 1,
      }),
      iconButton("close", `Remove ${spoken(track)}`, () => this.remove(track), {
        class: "icon-button remove",
      }),
    );
    grip.addEventListener("pointerdown", (event) => this.#drag(event, row, track));
    return row;
  }

  #drag(event, row, track) {
    if (event.button) return;
    event.preventDefault();
    const grip = event.currentTarget;
    const from = this.#tracks.indexOf(track);
    const others = [...this.element.children].filter((each) => each !== row);
    const middles = others.map((each) => {
      const { top, height } = each.getBoundingClientRect();
      return top + height / 2 + (others.indexOf(each) >= from ? -height / 2 : height / 2);
    });
    let to = from;
    grip.setPointerCapture(event.pointerId);
    row.classList.add("is-dragged");
    const step = row.getBoundingClientRect().height + gapOf(this.element);
    const move = ({ clientY }) => {
      row.style.transform = `translateY(${clientY - event.clientY}px)`;
      to = middles.filter((middle) => middle < clientY).length;
      for (const [i, each] of others.entries()) {
        const shift = (i >= to) - (i >= from);
        each.style.transform = shift ? `translateY(${shift * step}px)` : "";
      }
    };
    const drop = ({ type }) => {
      grip.removeEventListener("pointermove", move);
      grip.removeEventListener("pointerup", drop);
      grip.removeEventListener("pointercancel", drop);
      if (type === "pointerup" && to !== from) {
        this.#tracks.splice(from, 1);
        this.#tracks.splice(to, 0, track);
        announce(`${spoken(track)} is waypoint ${to + 1} of ${this.#tracks.length}.`);
      }
      this.#changed();
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", drop);
    grip.addEventListener("pointercancel", drop);
  }
}

function noteOf({ upload, artist, album }) {
  const isHeard = !upload || upload.state === "ready";
  return isHeard ? artist || album : `Listening… ${Math.round(100 * upload.progress)} %`;
}

function gapOf(list) {
  return Number.parseFloat(getComputedStyle(list).rowGap) || 0;
}
