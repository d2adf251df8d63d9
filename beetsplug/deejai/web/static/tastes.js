/** What the listener likes and has banned, kept in this browser. */

import { toast } from "./announce.js";
import { isUpload } from "./api.js";
import { store, stored } from "./storage.js";

const LISTS = ["likes", "bans"];
const FIELDS = ["ref", "title", "artist", "album", "length_s", "mime", "is_heard", "has_cover"];

/** Dispatches `change` with `detail.list`, "likes" or "bans", when one of them changes. */
export class Tastes extends EventTarget {
  #isKept = true;

  /** @param {string} library names the library: refs mean nothing in another one */
  constructor(library) {
    super();
    this.library = library;
    this.likes = new Map();
    this.bans = new Map();
    LISTS.forEach((list) => this.#load(list));
    // Another tab has changed them.
    window.addEventListener("storage", ({ key }) => {
      for (const list of LISTS) {
        if (key === this.#key(list)) {
          this.#load(list);
          this.#tell(list);
        }
      }
    });
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
    this.#load(list);
    this[list].set(track.ref, known);
    this.#changed(list);
  }

  #remove(list, ref) {
    this.#load(list);
    if (this[list].delete(ref)) this.#changed(list);
  }

  #changed(list) {
    // An upload is gone when the deck is closed.
    const lasting = [...this[list].values()].filter(({ ref }) => !isUpload(ref));
    this.#isKept = store(this.#key(list), JSON.stringify(lasting));
    if (!this.#isKept) {
      toast("This browser cannot keep likes and bans; they hold until the page is closed.");
    }
    this.#tell(list);
  }

  #tell(list) {
    this.dispatchEvent(new CustomEvent("change", { detail: { list } }));
  }

  /** Takes over what is kept, which another tab may have changed. */
  #load(list) {
    const kept = this.#isKept ? stored(this.#key(list)) : null;
    if (kept === null) return;
    const uploads = [...this[list].values()].filter(({ ref }) => isUpload(ref));
    const tracks = [...soundOf(kept), ...uploads];
    this[list] = new Map(tracks.map((track) => [track.ref, track]));
  }

  #key(list) {
    return `deejai:${this.library}:${list}`;
  }
}

function soundOf(kept) {
  try {
    return JSON.parse(kept).filter((track) => typeof track?.ref === "string");
  } catch {
    return [];
  }
}
