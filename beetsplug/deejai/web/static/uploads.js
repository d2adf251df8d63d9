/** Files that the user brings along: sent to the deck, then listened to by it. */

import { api } from "./api.js";

const POLL_MS = 600;

/** One file on its way. Dispatches `change`; `state` tells how far it is. */
export class Upload extends EventTarget {
  /** "sending", "listening", "ready" or "failed" */
  state = "sending";
  /** 0 to 1, within the state */
  progress = 0;
  /** Why it failed */
  error = "";
  /** The track, once it has been sent */
  track = null;

  /** @param {File} file */
  constructor(file) {
    super();
    this.name = file.name;
    /** Settled when it can be played; rejected with an Error when it cannot. */
    this.sent = this.#send(file);
    /** Settled when it has been listened to. */
    this.heard = this.sent.then(() => this.#follow());
    this.heard.catch((error) => this.#set({ state: "failed", error: error.message }));
  }

  async #send(file) {
    this.#take(await api.upload("uploads", file, (progress) => this.#set({ progress })));
    return this.track;
  }

  async #follow() {
    while (this.state === "listening") {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      try {
        this.#take(await api.get(`uploads/${this.track.ref}`));
      } catch (error) {
        if (error.status) throw error; // No answer at all may be one the next time.
      }
    }
    if (this.state === "failed") throw new Error(this.error || "It cannot be listened to.");
    return this.track;
  }

  #take({ state, progress, error, track }) {
    this.#set({ state, progress, error: error ?? "", track });
  }

  #set(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }
}
