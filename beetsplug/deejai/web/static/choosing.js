/** Asks the server what comes next. */

const SEEDS = 10;
const MOST_PLAYED = 5000;

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
   * @returns {Promise<{track: ?object, notices: string[]}>} no track when all are played
   * @throws {ApiError}
   */
  async ask({ last, played, keepOn, drunk }) {
    this.abort();
    const request = new AbortController();
    this.#request = request;
    const body = {
      seeds: seedsOf(last),
      n: 1,
      keep_on: keepOn,
      drunk,
      seed: crypto.getRandomValues(new Uint32Array(1))[0],
      not: [...this.tastes.bans.keys()],
      like: [...this.tastes.likes.keys()],
      played: played.slice(-MOST_PLAYED),
    };
    const answer = await this.api.post("playlist", body, { signal: request.signal });
    if (this.#request === request) this.#request = null;
    return { track: answer.tracks[0] ?? null, notices: answer.notices ?? [] };
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
