/** Asks the server what comes next. */

const SEEDS = 10;
const MOST_PLAYED = 5000;
// None of what was played is known to the deck, or can be compared.
const USELESS_SEEDS = [404, 409];

/**
 * Has the next track chosen.
 *
 * One request at a time: a newer one calls the older one off.
 */
export class Choosing {
  #request = null;

  /**
   * @param {object} api
   * @param {import("./tastes.js").Tastes} tastes
   */
  constructor(api, tastes) {
    this.api = api;
    this.tastes = tastes;
  }

  /** Calls off what is being asked. */
  abort() {
    this.#request?.abort();
    this.#request = null;
  }

  /**
   * Asks for the next track.
   *
   * @param {object} wish
   * @param {object[]} wish.last what was played, oldest first; nothing: begins with any track
   * @param {string[]} wish.played refs that are not to come again
   * @param {number} wish.keepOn how many of the last tracks count
   * @param {number} wish.drunk randomness, 0 to 1
   * @returns {Promise<{track: ?object, notices: string[], isRandom: boolean}>} no track
   *     when all are played; a random one when there is nothing to choose it by
   * @throws {ApiError}
   */
  async ask({ last, played, keepOn, drunk }) {
    this.abort();
    const request = new AbortController();
    this.#request = request;
    const seeds = seedsOf(last);
    const body = {
      seeds,
      n: 1,
      keep_on: keepOn,
      drunk,
      seed: crypto.getRandomValues(new Uint32Array(1))[0],
      not: [...this.tastes.bans.keys()],
      like: [...this.tastes.likes.keys()],
      played: played.slice(-MOST_PLAYED),
    };
    let isRandom = !seeds.length;
    const { signal } = request;
    const answer = await this.api.post("playlist", body, { signal }).catch((error) => {
      if (isRandom || !USELESS_SEEDS.includes(error.status)) throw error;
      // A deck that was started anew has no uploads; any track is better than silence.
      isRandom = true;
      return this.api.post("playlist", { ...body, seeds: [] }, { signal });
    });
    if (this.#request === request) this.#request = null;
    return { track: answer.tracks[0] ?? null, notices: answer.notices ?? [], isRandom };
  }
}

/** Whether there is anything to choose by. */
export function canChoose(last) {
  return seedsOf(last).length > 0;
}

function seedsOf(last) {
  return last
    .filter((track) => track.is_heard)
    .slice(-SEEDS)
    .map((track) => track.ref);
}
