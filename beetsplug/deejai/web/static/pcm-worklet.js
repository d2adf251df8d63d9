/** Runs on the audio thread: collects what the microphone gives as 16-bit samples. */

const CHUNK_S = 0.1;

class PcmCollector extends AudioWorkletProcessor {
  #samples = new Int16Array(Math.round(sampleRate * CHUNK_S));
  #n = 0;
  #sum = 0;
  #sumOfSquares = 0;

  process([channels]) {
    // A microphone that has not begun yet has no channels.
    const nFrames = channels[0]?.length ?? 0;
    for (let i = 0; i < nFrames; i++) {
      let value = 0;
      for (const channel of channels) value += channel[i];
      this.#add(value / channels.length);
    }
    return true;
  }

  #add(value) {
    this.#sum += value;
    this.#sumOfSquares += value * value;
    this.#samples[this.#n++] = 32767 * Math.max(-1, Math.min(1, value));
    if (this.#n === this.#samples.length) this.#send();
  }

  #send() {
    // Cheap microphones have a constant offset, which is no sound.
    const mean = this.#sum / this.#n;
    const power = Math.max(0, this.#sumOfSquares / this.#n - mean * mean);
    const samples = this.#samples;
    this.#samples = new Int16Array(samples.length);
    this.#n = this.#sum = this.#sumOfSquares = 0;
    this.port.postMessage({ samples, level_db: 10 * Math.log10(power + 1e-12) }, [samples.buffer]);
  }
}

registerProcessor("pcm-collector", PcmCollector);
