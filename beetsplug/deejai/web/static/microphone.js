/** The microphone: its permission, its samples, and what goes wrong with it. */

const REASONS = {
  NotAllowedError:
    "The microphone is not allowed. Allow it for this page beside the address, then press Listen again.",
  NotFoundError: "No microphone is found. Plug one in, then press Listen again.",
  NotReadableError:
    "The microphone cannot be opened. Another program may be using it: close that, then press Listen again.",
};

/**
 * One microphone.
 *
 * Dispatches `chunk` every tenth of a second, with the level in `detail`, and `ended` when
 * the microphone has gone away.
 */
export class Microphone extends EventTarget {
  #stream = null;
  #context = null;
  #ring = new Int16Array(0);
  #n = 0;

  /** Sampling rate in Hz. */
  get rate() {
    return this.#context.sampleRate;
  }

  /** Seconds that have been recorded. */
  get recorded_s() {
    return this.#n / this.rate;
  }

  /**
   * Starts recording.
   *
   * @param {number} kept_s seconds that are kept
   * @throws {Error} with one line for the user
   */
  async open(kept_s) {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(whyThereIsNone());
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        // They are made for speech, and spoil music.
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      this.#context = new AudioContext();
      this.#ring = new Int16Array(Math.round(kept_s * this.rate));
      await this.#context.audioWorklet.addModule("/static/pcm-worklet.js");
      await this.#context.resume();
    } catch (error) {
      this.close();
      throw new Error(REASONS[error.name] ?? `The microphone cannot be used: ${error.message}`);
    }
    const collector = new AudioWorkletNode(this.#context, "pcm-collector");
    collector.port.addEventListener("message", ({ data }) => this.#keep(data));
    collector.port.start();
    this.#context.createMediaStreamSource(this.#stream).connect(collector);
    // It gives silence, but what leads nowhere need not be run.
    collector.connect(this.#context.destination);
    for (const track of this.#stream.getTracks()) {
      track.addEventListener("ended", () => this.dispatchEvent(new Event("ended")));
    }
  }

  /** Stops recording, so that the browser shows no open microphone. */
  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#context && this.#context.state !== "closed") this.#context.close();
    this.#stream = null;
  }

  /** What was recorded last, oldest first, at most as much as is kept. */
  samples() {
    const size = this.#ring.length;
    const end = this.#n % size;
    if (this.#n < size) return this.#ring.slice(0, this.#n);
    const samples = new Int16Array(size);
    samples.set(this.#ring.subarray(end));
    samples.set(this.#ring.subarray(0, end), size - end);
    return samples;
  }

  #keep({ samples, level_db }) {
    if (!this.#stream) return;
    const size = this.#ring.length;
    const end = this.#n % size;
    const nFirst = Math.min(samples.length, size - end);
    this.#ring.set(samples.subarray(0, nFirst), end);
    this.#ring.set(samples.subarray(nFirst), 0);
    this.#n += samples.length;
    this.dispatchEvent(new CustomEvent("chunk", { detail: { level_db } }));
  }
}

function whyThereIsNone() {
  if (window.isSecureContext) return "This browser has no microphone for pages. Try another one.";
  return (
    "Browsers give the microphone to secure pages only. Open the deck on its own machine " +
    "as http://localhost, or through HTTPS."
  );
}
