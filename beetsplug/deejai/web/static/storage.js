/** What this browser keeps, if it is allowed to. */

/**
 * Reads what was kept.
 *
 * @param {string} key
 * @returns {?string} null when there is nothing, or nothing can be kept
 */
export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * Keeps something.
 *
 * @param {string} key
 * @param {string} value
 * @returns {boolean} whether it is kept
 */
export function store(key, value) {
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
