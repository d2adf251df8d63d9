/** Small tools to build the page. Text goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element.
 *
 * @param {string} tag
 * @param {Object<string, *>} [properties] attributes by name; `class`; `on: {click: f}` for
 *     listeners; true gives an empty attribute, false, null and undefined none
 * @param {...(Node|string|null)} children strings become text
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/**
 * Makes an SVG element; see {@link el}.
 *
 * @returns {SVGElement}
 */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) {
        node.addEventListener(type, listener);
      }
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * Draws an icon of icons.svg.
 *
 * @param {string} name id of the symbol
 * @returns {SVGElement} hidden from screen readers: the button around it has the label
 */
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("use", { href: `/static/icons.svg#${name}` }),
  );
}

/** Changes which icon a button shows. */
export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `/static/icons.svg#${name}`);
}

/**
 * Makes a round button with an icon and a label for screen readers and on hovering.
 *
 * @param {string} name of the icon
 * @param {string} label
 * @param {function(MouseEvent): void} onClick
 * @param {Object<string, *>} [properties] further attributes
 * @returns {HTMLButtonElement}
 */
export function iconButton(name, label, onClick, properties = {}) {
  return el(
    "button",
    {
      type: "button",
      class: "icon-button",
      "aria-label": label,
      title: label,
      on: { click: onClick },
      ...properties,
    },
    icon(name),
  );
}

/** Makes a button with words, and an icon before them if one is named. */
export function textButton(text, onClick, { icon: name, ...properties } = {}) {
  return el(
    "button",
    { type: "button", class: "button", on: { click: onClick }, ...properties },
    name ? icon(name) : null,
    el("span", {}, text),
  );
}

/** Has a button do nothing for a while. A disabled one would lose the focus. */
export function setBusy(button, isBusy) {
  if (isBusy) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

/**
 * Writes seconds as 3:05 or 1:02:03.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  if (whole >= 3600) parts.unshift(Math.floor(whole / 3600));
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** Counts things: "1 track", "2 tracks". */
export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** Names a track in one line: "Roxanne by The Police". */
export function spoken(track) {
  return track.artist ? `${track.title} by ${track.artist}` : track.title;
}

/** Calls a function once the calls have stopped for some milliseconds. */
export function debounced(f, milliseconds) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(f, milliseconds, ...values);
  };
}
