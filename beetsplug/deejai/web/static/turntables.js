/** Two audio elements, and the crossfade from one to the other. */

const FADING_MS = 40;
const PLAYING_MS = 200;

/**
 * Plays one address after the other.
 *
 * The volumes of the elements are set, not gains of an AudioContext: a context is silent
 * until the user has touched the page, and a locked phone stops it.
 *
 * Dispatches `time` while it plays, `ended` when the last one is over and `failed` when
 * the sound breaks off.
 */
export class Turntables extends EventTarget {
  #decks = [new Audio(), new Audio()];
  #live = 0;
  #gains = [1, 1];
  #fade = null;
  #timer = 0;
  #volume = 1;
  #wanted = false;

  constructor() {
    super();
    for (const [i, deck] of this.#decks.entries()) {
      deck.preload = "auto";
      deck.addEventListener("ended", () => this.#tell("ended", i));
      deck.addEventListener("error", () => this.#tell("failed", i));
      deck.addEventListener("pause", () => this.#pausedFromOutside(i));
    }
    document.body.append(...this.#decks);
    // On some phones only the keys set the volume: two tracks at once would be noise.
    this.#decks[0].volume = 0.5;
    this.canFade = this.#decks[0].volume === 0.5;
    this.#decks[0].volume = 1;
  }

  /** Seconds that have been played of the live one. */
  get time() {
    return this.#deck.currentTime;
  }

  /** Its length in seconds; not finite while unknown. */
  get duration() {
    return this.#deck.duration;
  }

  /** Whether it makes, or is about to make, sound. */
  get isPlaying() {
    return this.#wanted;
  }

  get #deck() {
    return this.#decks[this.#live];
  }

  /** Loudness from 0 to 1. */
  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = volume;
    this.#applyGains();
  }

  /** Loads what comes next on the other element, unless that one is still fading out. */
  cue(url) {
    const other = this.#decks[1 - this.#live];
    if (!this.#fade && !sameUrl(other, url)) {
      other.pause();
      other.src = url;
    }
  }

  /**
   * Starts an address; what plays goes on until the new one sounds, then fades out.
   *
   * @param {string} url
   * @param {{fade_s?: number, from_s?: number}} [options] length of the crossfade, and
   *     where to begin
   * @returns {Promise<void>} settled when it plays
   * @throws {DOMException} NotAllowedError when the browser waits for a gesture: it is
   *     live then, and paused; AbortError when something else was started meanwhile;
   *     another one when it cannot be played
   */
  async start(url, { fade_s = 0, from_s = 0 } = {}) {
    this.#endFade();
    const was = this.#live;
    const next = 1 - was;
    const deck = this.#decks[next];
    this.#wanted = true;
    const isFading = this.canFade && fade_s > 0 && isSounding(this.#decks[was]);
    this.#gains[next] = isFading ? 0 : 1;
    this.#applyGains();
    if (sameUrl(deck, url) && !deck.error) deck.currentTime = from_s;
    else {
      deck.src = url;
      if (from_s) deck.currentTime = from_s;
    }
    try {
      await deck.play();
    } catch (error) {
      const isRefused = error.name === "NotAllowedError";
      const isPaused = error.name === "AbortError" && !this.#wanted && sameUrl(deck, url);
      if (isRefused || isPaused) {
        this.#wanted = false;
        this.#halt(was);
        this.#live = next;
        this.#gains[next] = 1;
        this.#applyGains();
      }
      if (isPaused) return;
      throw error;
    }
    this.#live = next;
    if (isFading && isSounding(this.#decks[was])) {
      this.#fade = { from: was, to: next, level: this.#gains[was], s: fade_s, at: 0 };
    } else {
      this.#halt(was);
      this.#gains[next] = 1;
    }
    this.#applyGains();
    if (this.#wanted) this.#run();
    else deck.pause();
  }

  /** Goes on after {@link pause}. */
  async resume() {
    this.#wanted = true;
    await this.#deck.play();
    if (this.#fade) this.#decks[this.#fade.from].play().catch(() => this.#endFade());
    this.#run();
  }

  pause() {
    this.#wanted = false;
    for (const deck of this.#decks) deck.pause();
    clearTimeout(this.#timer);
  }

  /** Falls silent and forgets what was loaded. */
  stop() {
    this.pause();
    this.#endFade();
    this.#halt(this.#live);
  }

  /** Goes to a place, in seconds. */
  seek(seconds) {
    this.#deck.currentTime = seconds;
  }

  #run() {
    clearTimeout(this.#timer);
    let before = performance.now();
    const tick = () => {
      const now = performance.now();
      if (this.#fade) this.#turn((now - before) / 1000);
      before = now;
      this.dispatchEvent(new Event("time"));
      if (this.#wanted) this.#timer = setTimeout(tick, this.#fade ? FADING_MS : PLAYING_MS);
    };
    tick();
  }

  #turn(passed_s) {
    const fade = this.#fade;
    fade.at += passed_s / fade.s;
    if (fade.at >= 1) {
      this.#endFade();
      return;
    }
    // The squares of both add up to one: as loud in the middle as at the ends.
    this.#gains[fade.to] = Math.sin((fade.at * Math.PI) / 2);
    this.#gains[fade.from] = fade.level * Math.cos((fade.at * Math.PI) / 2);
    this.#applyGains();
  }

  #endFade() {
    if (!this.#fade) return;
    const { from, to } = this.#fade;
    this.#fade = null;
    this.#halt(from);
    this.#gains[to] = 1;
    this.#applyGains();
  }

  #applyGains() {
    this.#decks.forEach((deck, i) => {
      deck.volume = Math.min(1, Math.max(0, this.#gains[i] * this.#volume));
    });
  }

  #halt(i) {
    const deck = this.#decks[i];
    deck.pause();
    if (deck.hasAttribute("src")) {
      deck.removeAttribute("src");
      deck.load(); // Lets go of the connection to the server.
    }
  }

  #tell(type, i) {
    if (i === this.#live) this.dispatchEvent(new Event(type));
    else if (this.#fade) this.#endFade();
  }

  #pausedFromOutside(i) {
    // A headset that was pulled out, or another program that took the sound.
    const deck = this.#decks[i];
    const isOurs = !this.#wanted || !deck.paused || deck.ended || deck.error;
    if (i === this.#live && !isOurs && deck.hasAttribute("src")) {
      this.pause();
      this.dispatchEvent(new Event("paused"));
    }
  }
}

function isSounding(deck) {
  return !deck.paused && !deck.ended && deck.readyState > 2;
}

function sameUrl(deck, url) {
  return deck.src === new URL(url, document.baseURI).href;
}
