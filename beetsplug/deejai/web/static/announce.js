/** What is said to the user: aloud by a screen reader, or in one line on the page. */

import { el, iconButton } from "./dom.js";

const SHOWN_MS = 7000;

let isOdd = false;

/**
 * Has a screen reader say something when it is idle.
 *
 * @param {string} text
 */
export function announce(text) {
  isOdd = !isOdd;
  // The same text twice in a row would not be a change, and so not be said.
  document.getElementById("announcer").textContent = isOdd ? text : `${text}\u00a0`;
}

/**
 * Shows a line for some seconds, and announces it.
 *
 * @param {string} text
 * @param {{action?: string, onAction?: function(): void}} [options] a button in the line
 */
export function toast(text, { action, onAction } = {}) {
  const region = document.getElementById("toasts");
  for (const other of region.children) {
    if (other.dataset.text === text) other.remove();
  }
  const line = el("div", { class: "toast", "data-text": text }, el("span", {}, text));
  const remove = () => line.remove();
  if (action) {
    line.append(
      el(
        "button",
        {
          type: "button",
          class: "link-button",
          on: {
            click: () => {
              remove();
              onAction();
            },
          },
        },
        action,
      ),
    );
  }
  line.append(iconButton("close", "Dismiss", remove));
  region.append(line);
  while (region.children.length > 3) region.firstElementChild.remove();
  let timer = setTimeout(remove, SHOWN_MS);
  // Whoever reads it or moves to its button has the time to.
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(remove, SHOWN_MS);
  };
  line.addEventListener("pointerenter", hold);
  line.addEventListener("focusin", hold);
  line.addEventListener("pointerleave", release);
  line.addEventListener("focusout", release);
  announce(text);
}

/** Shows what went wrong; a request that was called off is nothing wrong. */
export function toastError(error) {
  if (error?.name !== "AbortError") toast(error?.message ?? String(error));
}
