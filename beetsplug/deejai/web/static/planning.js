/** What comes next: what is queued, and after that what the server chooses. */

import { toast } from "./announce.js";
import { isUpload } from "./api.js";
import { Choosing, canChoose } from "./choosing.js";
import { debounced } from "./dom.js";

const TURNING_MS = 200;
const RETRY_MS = 5000;
// What the deck refuses now it will hardly grant in five seconds.
const REFUSED_MS = 30_000;

/** The plan. Dispatches `change` when what comes next, or its state, changes. */
export class Planning extends EventTarget {
  #tastes;
  #wish;
  #choosing;
  #beginning;
  #retry = 0;
  #live = null;
  #unheard = new Set();
  #hasComplained = false;

  /** Plans anew once a knob is no longer turned. */
  planSoon = debounced(() => this.plan(), TURNING_MS);
  /** What comes before the live choice. */
  queue = [];
  /** "none", "choosing", "ready", "listening", "exhausted" or "failed" */
  state = "none";
  /** Why it failed */
  error = "";

  /**
   * @param {object} parts
   * @param {object} parts.api
   * @param {import("./tastes.js").Tastes} parts.tastes
   * @param {function(): {last: object[], played: string[], keepOn: number, drunk: number}}
   *     parts.wish what is chosen by, as of {@link Choosing.ask}
   */
  constructor({ api, tastes, wish }) {
    super();
    this.#tastes = tastes;
    this.#wish = wish;
    this.#choosing = new Choosing(api, tastes);
    this.#beginning = new Choosing(api, tastes);
  }

  /** What comes next, as far as it is known. */
  get next() {
    return this.queue[0] ?? this.#live;
  }

  /** Whether what comes next was chosen, or will be: the queue is empty. */
  get isLive() {
    return !this.queue.length;
  }

  /** Takes what comes next out of the plan. */
  take() {
    const track = this.next;
    if (this.isLive) this.#live = null;
    else this.queue.shift();
    return track;
  }

  /** Forgets the live choice: it was made for another track, or is not wanted. */
  dropLive() {
    this.#live = null;
  }

  /** No longer waits for an upload, since it cannot be listened to. */
  giveUp(ref) {
    this.#unheard.add(ref);
    if (this.state === "listening") this.plan();
  }

  /** Sees to it that the next track is known. */
  async plan() {
    clearTimeout(this.#retry);
    this.#choosing.abort();
    const wish = this.#wish();
    if (this.queue.length) this.#become("ready");
    else if (!wish.last.length) this.#become(this.#live ? "ready" : "none");
    else if (this.#isListening(wish.last)) this.#become("listening");
    else {
      this.expectChoice();
      await this.#choose(wish);
    }
  }

  /** Says that what is known of the next track may change at any moment. */
  expectChoice() {
    this.#become("choosing");
  }

  /**
   * Chooses a track by chance.
   *
   * @returns {Promise<?object>} null when all are played
   * @throws {ApiError}
   */
  async anything() {
    const { track, notices } = await this.#beginning.ask({ ...this.#wish(), last: [] });
    notices.forEach((notice) => toast(notice));
    return track;
  }

  /** Whether there is nothing to choose by until a file has been listened to. */
  #isListening(last) {
    const isWaitedFor = ({ ref }) => isUpload(ref) && !this.#unheard.has(ref);
    return !canChoose(last) && last.some(isWaitedFor);
  }

  async #choose(wish) {
    const welcome = wish.last.filter(({ ref }) => !this.#tastes.isBanned(ref));
    const last = canChoose(welcome) ? welcome : wish.last;
    try {
      const { track, notices, isRandom } = await this.#choosing.ask({ ...wish, last });
      notices.forEach((notice) => toast(notice));
      this.#hasComplained = false;
      this.#live = track && { ...track, reason: isRandom ? "random" : "live" };
      this.#become(track ? "ready" : "exhausted");
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!this.#hasComplained) toast(error.message);
      this.#hasComplained = true;
      this.error = error.status ? error.message : "The deck does not answer; trying again.";
      // What was chosen before is better than silence.
      this.#become(this.#live ? "ready" : "failed");
      this.#retry = setTimeout(() => this.plan(), error.status ? REFUSED_MS : RETRY_MS);
    }
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
