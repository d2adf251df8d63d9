/** What plays, what played and what comes next. */

import { announce, toast } from "./announce.js";
import { Planning } from "./planning.js";
import { Turntables } from "./turntables.js";

const SKIP_FADE_S = 0.4;
const CUE_S = 25;
const PATIENCE_S = 0.5;
const MAX_FAILURES = 3;

/**
 * The player. A track is the JSON of the API, with `reason` beside it: why it plays, one
 * of "picked", "queued", "file", "random", "way" and "live"; a live one has `why`.
 *
 * Dispatches `track` when another one plays, `state` when `state` changes, `queue` when
 * what comes next changes, `time` while it plays.
 */
export class Player extends EventTarget {
  #tables = new Turntables();
  #planning;
  #turn = 0;
  #failures = 0;
  #isHurried = false;
  #asWav = new Set();
  #from_s = 0;
  #isLoaded = false;

  /** What plays; null at the beginning. */
  current = null;
  /** Where `back` leads, oldest first. */
  history = [];
  /** All that was played since the page was opened, in order. */
  sitting = [];
  /** "idle", "loading", "playing", "paused" or "waiting" (for the next one) */
  state = "idle";
  keepOn;
  drunk;

  /**
   * @param {{api: object, status: object, tastes: import("./tastes.js").Tastes}} parts
   */
  constructor({ api, status, tastes }) {
    super();
    this.api = api;
    this.tastes = tastes;
    this.keepOn = status.keep_on;
    this.drunk = status.drunk;
    this.crossfade_s = status.crossfade_s;
    this.demo_s = status.demo_s;
    this.passed = new Set();
    this.#planning = new Planning({ api, tastes, wish: () => this.#wish() });
    this.#planning.addEventListener("change", () => this.#planned());
    this.#tables.addEventListener("time", () => this.#passTime());
    this.#tables.addEventListener("ended", () => this.#end());
    this.#tables.addEventListener("failed", () => this.#fail());
    this.#tables.addEventListener("paused", () => this.#become("paused"));
    tastes.addEventListener("change", () => this.#heedTastes());
  }

  /** What comes next, as far as it is known. */
  get next() {
    return this.#planning.next;
  }

  /** "none", "choosing", "ready", "listening", "exhausted" or "failed" */
  get nextState() {
    return this.#planning.state;
  }

  /** Why the choice failed. */
  get nextError() {
    return this.#planning.error;
  }

  /** What comes before the live choice. */
  get queue() {
    return this.#planning.queue;
  }

  set queue(tracks) {
    this.#planning.queue = tracks;
  }

  /** Seconds of the current track that have been played. */
  get time() {
    return this.#isLoaded ? this.#tables.time : this.#from_s;
  }

  /** Length of the current track in seconds. */
  get duration() {
    // A track that is transcoded on the fly does not know its own length.
    const { duration } = this.#tables;
    const isKnown = this.#isLoaded && Number.isFinite(duration);
    return isKnown ? duration : (this.current?.length_s ?? 0);
  }

  /** Loudness, 0 to 1. */
  get volume() {
    return this.#tables.volume;
  }

  set volume(volume) {
    this.#tables.volume = volume;
    this.dispatchEvent(new Event("volume"));
  }

  /** Whether it plays or will as soon as it can. */
  get isOn() {
    const isWaiting = this.state === "waiting" && this.nextState !== "exhausted";
    return isWaiting || ["playing", "loading"].includes(this.state);
  }

  /** Turns a knob; it holds from the next track on. */
  setKnobs({ keepOn = this.keepOn, drunk = this.drunk }) {
    this.keepOn = keepOn;
    this.drunk = drunk;
    if (this.current && this.#planning.isLive) this.#planning.expectChoice();
    this.#planning.planSoon();
  }

  /** Plays a track at once; what is queued comes after it. */
  play(track, reason = "picked") {
    this.#failures = 0;
    this.#start({ ...track, reason }, SKIP_FADE_S);
  }

  /**
   * Plays a track by chance.
   *
   * @throws {ApiError}
   */
  async surprise() {
    const track = await this.#planning.anything();
    if (track) this.play(track, "random");
  }

  /** Plays tracks one after the other, in place of what is queued; banned ones are not. */
  playList(tracks, reason = "way") {
    const [first, ...others] = tracks.filter((track) => !this.#isBanned(track));
    if (first) {
      this.queue = others.map((track) => ({ ...track, reason }));
      this.play(first, reason);
    } else if (tracks.length) toast("All of it is banned.");
  }

  /** Plays a track after those that are queued; at once when nothing plays. */
  enqueue(track, reason = "queued") {
    if (this.current) {
      this.queue.push({ ...track, reason });
      this.#planning.plan();
    } else this.play(track, reason);
  }

  /** Takes a track out of the queue. */
  removeQueued(index) {
    this.queue.splice(index, 1);
    this.#planning.plan();
  }

  clearQueue() {
    this.queue = [];
    this.#planning.plan();
  }

  /** Has something else chosen in place of what comes next. */
  passOver() {
    if (this.queue.length) this.removeQueued(0);
    else if (this.next) {
      this.passed.add(this.next.ref);
      this.#planning.dropLive();
      this.#planning.plan();
    }
  }

  /** Goes on to the next track. */
  skip() {
    if (!this.current) return;
    if (this.next && this.nextState !== "choosing") this.#advance(SKIP_FADE_S);
    else {
      this.#isHurried = true;
      if (this.nextState === "exhausted") toast("Everything has been played.");
      else if (this.nextState === "listening") {
        toast("The next track can be chosen once this one has been listened to.");
      } else if (this.nextState !== "choosing") this.#planning.plan();
    }
  }

  /** Goes back to what played before. */
  back() {
    let track = this.history.pop();
    while (this.#isBanned(track)) track = this.history.pop();
    if (!track) {
      this.seek(0);
      return;
    }
    // Going on again then leads to where one came from.
    if (this.current && !this.#isBanned(this.current)) this.queue.unshift(this.current);
    this.current = null;
    this.#start(track, SKIP_FADE_S, { isNew: false });
  }

  /** Pauses, or goes on. */
  toggle() {
    if (!this.current) return;
    if (this.isOn) {
      this.#isHurried = false;
      this.#tables.pause();
      this.#become("paused");
    } else this.#resume();
  }

  /** Goes to a place in the track, in seconds. */
  seek(seconds) {
    if (!this.current) return;
    this.#from_s = seconds;
    // Until it is loaded, what played before still sounds.
    if (this.#isLoaded) this.#tables.seek(seconds);
    this.dispatchEvent(new Event("time"));
  }

  /** Likes what plays, or no longer. */
  toggleLike() {
    if (this.current) this.tastes.toggleLike(this.current);
  }

  /** Bans what plays, and goes on. */
  ban() {
    if (this.current) this.tastes.ban(this.current);
  }

  /** Takes note that an upload has been listened to. */
  heard(track) {
    const known = [...this.sitting, ...this.history, ...this.queue, this.current];
    for (const each of known) {
      if (each?.ref === track.ref) Object.assign(each, track);
    }
    if (this.nextState === "listening") this.#planning.plan();
    if (this.current?.ref === track.ref) this.dispatchEvent(new Event("track"));
  }

  /** Takes note that an upload cannot be listened to; it plays nevertheless. */
  cannotHear({ ref }) {
    this.#planning.giveUp(ref);
  }

  async #start(track, fade_s, { isNew = true, from_s = 0 } = {}) {
    const turn = ++this.#turn;
    if (isNew && this.current && this.current !== track) this.history.push(this.current);
    if (isNew && !this.sitting.includes(track)) this.sitting.push(track);
    this.current = track;
    this.#planning.dropLive();
    this.#from_s = from_s;
    this.#isLoaded = false;
    this.#isHurried = false;
    this.#become("loading");
    this.dispatchEvent(new Event("track"));
    this.#planning.plan();
    try {
      await this.#tables.start(this.#url(track), { fade_s, from_s });
    } catch (error) {
      if (turn !== this.#turn || error.name === "AbortError") return;
      if (error.name === "NotAllowedError") {
        this.#loaded(from_s);
        this.#become("paused");
        toast("The browser waits for you: press play.");
      } else this.#fail();
      return;
    }
    if (turn !== this.#turn) return;
    this.#loaded(from_s);
    this.#failures = 0;
    this.#become(this.#tables.isPlaying ? "playing" : "paused");
  }

  /** Goes where it was sent while it loaded. */
  #loaded(from_s) {
    this.#isLoaded = true;
    if (this.#from_s !== from_s) this.#tables.seek(this.#from_s);
  }

  async #resume() {
    this.#isHurried = false;
    try {
      this.#become("playing");
      await this.#tables.resume();
    } catch (error) {
      if (error.name === "NotAllowedError") this.#become("paused");
      else if (error.name !== "AbortError") this.#fail();
    }
  }

  #advance(fade_s) {
    this.#start(this.#planning.take(), fade_s);
  }

  #passTime() {
    this.dispatchEvent(new Event("time"));
    if (this.state !== "playing" || !this.next) return;
    const end_s = this.#end_s;
    const fade_s = Math.min(this.crossfade_s, (end_s - this.#from_s) / 3);
    const left_s = end_s - this.time;
    // A choice that is being made anew is waited for as long as there is time.
    if (this.nextState === "choosing" && left_s > PATIENCE_S) return;
    if (left_s <= fade_s) this.#advance(Math.max(0, Math.min(fade_s, left_s)));
    else if (left_s < CUE_S) this.#tables.cue(this.#url(this.next));
  }

  get #end_s() {
    const end_s = this.duration > 0 ? this.duration : Infinity;
    return this.demo_s ? Math.min(end_s, this.#from_s + this.demo_s) : end_s;
  }

  #end() {
    if (this.state === "loading") return;
    if (this.next) this.#advance(0);
    else {
      this.#isHurried = true;
      this.#become("waiting");
      if (this.nextState === "exhausted") announce("Everything has been played.");
    }
  }

  #fail() {
    const track = this.current;
    if (!this.#url(track).includes("as=wav")) {
      this.#asWav.add(track.ref);
      this.#start(track, 0, { isNew: false, from_s: this.#resumeAt() });
      return;
    }
    this.passed.add(track.ref);
    this.sitting = this.sitting.filter((each) => each !== track);
    this.current = this.history.pop() ?? null;
    this.#failures += 1;
    const isHopeless = this.#failures >= MAX_FAILURES;
    const isOver = isHopeless || !(this.current || this.next);
    toast(
      isHopeless
        ? `${this.#failures} tracks in a row cannot be played. Is the deck still running?`
        : `“${track.title}” cannot be played.`,
    );
    if (isOver) {
      this.#tables.stop();
      this.#become(this.current ? "paused" : "idle");
      this.dispatchEvent(new Event("track"));
    } else {
      this.#isHurried = true;
      this.#become("waiting");
    }
    this.#planning.plan();
  }

  #resumeAt() {
    return ["playing", "loading"].includes(this.state) ? this.time : 0;
  }

  #url(track) {
    const asWav = this.#asWav.has(track.ref) || !new Audio().canPlayType(track.mime);
    return this.api.streamUrl(track.ref, asWav);
  }

  #isBanned(track) {
    return Boolean(track) && this.tastes.isBanned(track.ref);
  }

  #heedTastes() {
    this.queue = this.queue.filter((track) => !this.#isBanned(track));
    if (this.#isBanned(this.next)) this.#planning.dropLive();
    this.#planning.plan();
    if (this.#isBanned(this.current)) this.skip();
  }

  #wish() {
    const { keepOn, drunk } = this;
    return {
      last: [...this.history, this.current].filter(Boolean),
      played: [...new Set([...this.passed, ...this.sitting.map(({ ref }) => ref)])],
      keepOn,
      drunk,
    };
  }

  #planned() {
    this.dispatchEvent(new Event("queue"));
    // Whether it is on may depend on whether anything comes.
    if (this.state === "waiting") this.dispatchEvent(new Event("state"));
    const isDue = this.#isHurried && this.next && this.nextState !== "choosing";
    if (isDue) this.#advance(SKIP_FADE_S);
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
