/** What the listener likes and has banned, kept in this browser. */

import { toast } from "./announce.js";
import { store, stored } from "./storage.js";

const FIELDS = ["ref", "title", "artist", "album", "length_s", "mime", "is_heard", "has_cover"];

/** Dispatches `change` with `detail.list`, "likes" or "bans", when one of them changes. */
export class Tastes extends EventTarget {
  /** @param {string} library names the library: refs mean nothing in another one */
  constructor(library) {
    super();
    this.library = library;
    this.likes = this.#load("likes");
    this.bans = this.#load("bans");
  }

  /** Whether a track is liked. */
  isLiked(ref) {
    return this.likes.has(ref);
  }

  /** Whether a track is banned. */
  isBanned(ref) {
    return this.bans.has(ref);
  }

  /** Likes a track, or no longer. A liked one is no longer banned. */
  toggleLike(track) {
    if (this.likes.has(track.ref)) {
      this.#remove("likes", track.ref);
    } else {
      this.#remove("bans", track.ref);
      this.#add("likes", track);
    }
  }

  /** Bans a track; it is no longer liked. */
  ban(track) {
    this.#remove("likes", track.ref);
    this.#add("bans", track);
  }

  /** Lifts a ban. */
  unban(ref) {
    this.#remove("bans", ref);
  }

  /** Forgets all likes. */
  clearLikes() {
    this.likes.clear();
    this.#changed("likes");
  }

  #add(list, track) {
    const known = Object.fromEntries(FIELDS.map((field) => [field, track[field]]));
    this[list].set(track.ref, known);
    this.#changed(list);
  }

  #remove(list, ref) {
    if (this[list].delete(ref)) this.#changed(list);
  }

  #changed(list) {
    // An upload is gone when the deck is closed.
    const lasting = [...this[list].values()].filter(({ ref }) => !ref.startsWith("u"));
    if (!store(this.#key(list), JSON.stringify(lasting))) {
      toast("This browser cannot keep likes and bans; they hold until the page is closed.");
    }
    this.dispatchEvent(new CustomEvent("change", { detail: { list } }));
  }

  #load(list) {
    try {
      const tracks = JSON.parse(stored(this.#key(list)) ?? "[]");
      const sound = tracks.filter((track) => typeof track?.ref === "string");
      return new Map(sound.map((track) => [track.ref, track]));
    } catch {
      return new Map();
    }
  }

  #key(list) {
    return `deejai:${this.library}:${list}`;
  }
}
