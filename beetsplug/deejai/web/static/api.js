/** Talks to the deck's server. */

const BASE = "/api/v1/";

/** What the server refused, or that it could not be reached. */
class ApiError extends Error {
  /**
   * @param {string} message one line for the user
   * @param {number} status of HTTP; 0 when there was no answer
   */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

export const api = {
  /**
   * Reads something.
   *
   * @param {string} path below /api/v1, such as "search"
   * @param {Object<string, *>} [params] of the query; lists are repeated, null is left out
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<*>} the JSON
   * @throws {ApiError}
   */
  get(path, params = {}, options = {}) {
    return json(withParams(path, params), { ...options, method: "GET" });
  },

  /**
   * Sends something: samples as they are, all else as JSON.
   *
   * @param {string} path
   * @param {*} [body]
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<*>} the JSON
   * @throws {ApiError}
   */
  post(path, body, options = {}) {
    return json(path, { ...options, method: "POST", ...encoded(body) });
  },

  /** Deletes something. */
  delete(path, options = {}) {
    return json(path, { ...options, method: "DELETE" });
  },

  /**
   * Posts JSON and hands the answer to the user as a file.
   *
   * @param {string} path
   * @param {*} body
   * @param {string} name of the file
   */
  async save(path, body, name) {
    const response = await answer(path, { method: "POST", ...encoded(body) });
    const url = URL.createObjectURL(await response.blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  },

  /**
   * Sends a file and tells how much of it has been sent.
   *
   * @param {string} path
   * @param {File} file
   * @param {function(number): void} onProgress 0 to 1
   * @returns {Promise<*>} the JSON
   * @throws {ApiError}
   */
  upload(path, file, onProgress) {
    const form = new FormData();
    form.append("file", file);
    return new Promise((resolve, reject) => {
      // fetch() does not tell how much it has sent.
      const request = new XMLHttpRequest();
      request.open("POST", url(path));
      request.setRequestHeader("X-Deejai", "1");
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) onProgress(event.loaded / event.total);
      });
      request.addEventListener("load", () => {
        if (request.status < 300) resolve(request.response);
        else reject(refusal(request.status, request.response));
      });
      request.addEventListener("error", () => reject(gone()));
      request.send(form);
    });
  },

  /** Where the sound of a track is; `asWav` has it transcoded. */
  streamUrl(ref, asWav = false) {
    return url(`tracks/${encodeURIComponent(ref)}/stream${asWav ? "?as=wav" : ""}`);
  },

  /** Where the cover of a track is. */
  coverUrl(ref) {
    return url(`tracks/${encodeURIComponent(ref)}/cover`);
  },
};

/** Whether a ref names a file that was brought along, and not a track of the library. */
export function isUpload(ref) {
  return ref.startsWith("u");
}

function url(path) {
  return BASE + path;
}

function withParams(path, params) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined) query.append(name, each);
    }
  }
  return query.size ? `${path}?${query}` : path;
}

function encoded(body) {
  if (body === undefined) return {};
  if (ArrayBuffer.isView(body)) {
    return { body, headers: { "Content-Type": "application/octet-stream" } };
  }
  return {
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  };
}

async function json(path, init) {
  const response = await answer(path, init);
  return response.status === 204 ? null : response.json();
}

async function answer(path, init) {
  const headers = { ...init.headers };
  // Another site cannot set a header of its own: so the server knows its own page.
  if (init.method !== "GET") headers["X-Deejai"] = "1";
  let response;
  try {
    response = await fetch(url(path), { ...init, headers });
  } catch (error) {
    throw error.name === "AbortError" ? error : gone();
  }
  if (!response.ok) {
    throw refusal(response.status, await response.json().catch(() => null));
  }
  return response;
}

function refusal(status, body) {
  return new ApiError(body?.error ?? `The deck answered ${status}.`, status);
}

function gone() {
  return new ApiError("The deck does not answer. Is it still running?", 0);
}
