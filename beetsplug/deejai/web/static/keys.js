/** The keyboard: single keys, as long as nobody types. */

import { el, iconButton } from "./dom.js";
import { store, stored } from "./storage.js";

const STORED = "deejai:keys";
const SLIDING = ["Home", "End", "PageUp", "PageDown"];

/**
 * Starts listening to the keyboard.
 *
 * @param {object} parts
 * @param {import("./player.js").Player} parts.player
 * @param {function(): void} parts.onEmpty what space does before anything plays
 * @param {function(): void} parts.onSearch
 */
export function startKeys({ player, onEmpty, onSearch }) {
  const actions = [
    {
      keys: [" "],
      shown: ["Space"],
      name: "Play or pause",
      act: () => (player.current ? player.toggle() : onEmpty()),
    },
    { keys: ["n", "ArrowRight"], shown: ["N", "→"], name: "Skip", act: () => player.skip() },
    { keys: ["p", "ArrowLeft"], shown: ["P", "←"], name: "Back", act: () => player.back() },
    { keys: ["l"], shown: ["L"], name: "Like", act: () => player.toggleLike() },
    { keys: ["b"], shown: ["B"], name: "Ban", act: () => player.ban() },
    { keys: ["/"], shown: ["/"], name: "Search", act: onSearch },
    { keys: ["?"], shown: ["?"], name: "Show the keys", act: () => dialog.showModal() },
  ];
  const isOn = el("input", {
    type: "checkbox",
    checked: stored(STORED) !== "off",
    on: { change: () => store(STORED, isOn.checked ? "on" : "off") },
  });
  const dialog = keysDialog(actions, isOn);
  document.body.append(dialog);
  document.getElementById("show-keys").addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    if (!isOn.checked || !isFree(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions.find(({ keys }) => keys.includes(key));
    if (!action) return;
    event.preventDefault();
    action.act();
  });
}

/** Whether a key is meant for the page, and not for what has the focus. */
function isFree({ target, key, repeat, defaultPrevented, ctrlKey, metaKey, altKey }) {
  if (repeat || defaultPrevented || ctrlKey || metaKey || altKey) return false;
  if (document.querySelector("dialog[open]")) return false;
  // The focus stays in a dialog for a moment after it was closed.
  const isGone = !(target instanceof Element) || target.closest("dialog:not([open])");
  const element = isGone ? document.body : target;
  if (element.isContentEditable) return false;
  if (element.type === "range") return !key.startsWith("Arrow") && !SLIDING.includes(key);
  const field = element.closest("input, textarea, select");
  if (field && !["checkbox", "radio", "button", "file"].includes(field.type)) return false;
  if (key.startsWith("Arrow") && element.closest("canvas, [role=application]")) return false;
  // Space presses the button that has the focus.
  return key !== " " || !element.closest("button, a, summary, input");
}

function keysDialog(actions, isOn) {
  const close = iconButton("close", "Close", () => dialog.close(), { autofocus: true });
  const dialog = el(
    "dialog",
    { id: "keys", class: "keys", "aria-labelledby": "keys-heading" },
    el("div", { class: "panel-head" }, el("h2", { id: "keys-heading" }, "Keys"), close),
    el(
      "dl",
      {},
      ...actions.flatMap(({ shown, name }) => [
        el("dt", {}, ...shown.map((key) => el("kbd", {}, key))),
        el("dd", {}, name),
      ]),
    ),
    el("label", { class: "check" }, isOn, el("span", {}, "Use these keys")),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}
