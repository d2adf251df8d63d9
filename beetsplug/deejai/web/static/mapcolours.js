/** What the colours of a map mean. */

/** What tracks can be coloured by, and what it is called. */
export const COLOURINGS = { genre: "Genre", year: "Year", artist: "Artist" };

/**
 * @typedef {object} Colouring
 * @property {function(number): number[]} of red, green and blue of a track, 0 to 255
 * @property {function(number): number} rank tracks of a higher one are painted on top
 * @property {{name: string, colour: string, n: number, has: function(number): boolean}[]}
 *     legend
 * @property {{first: number, last: number, stops: string[]}|null} years
 */

/**
 * Colours tracks.
 *
 * @param {object} data columns, as the server writes them
 * @param {"genre"|"year"|"artist"} by
 * @param {boolean} isDark the ground
 * @returns {Colouring}
 */
export function colouring(data, by, isDark) {
  const colours = isDark ? data.colours.dark : data.colours.light;
  if (by === "year") return byYear(data.year, colours);
  return byGroup(data[by], by === "genre" ? data.genres : data.artists, colours);
}

function byGroup(codes, names, { named, rest }) {
  const counts = new Array(names.length).fill(0);
  for (const code of codes) counts[code] += 1;
  // The commonest come first, and last those without a name.
  const isNameless = names.at(-1) === "";
  const nKnown = names.length - (isNameless ? 1 : 0);
  const nNamed = Math.min(named.length, nKnown);
  const table = names.map((_, code) => read(code < nNamed ? named[code] : rest));
  const legend = named.slice(0, nNamed).map((colour, code) => ({
    name: names[code],
    colour,
    n: counts[code],
    has: (i) => codes[i] === code,
  }));
  const isOther = (i) => codes[i] >= nNamed && codes[i] < nKnown;
  const isUnknown = (i) => codes[i] >= nKnown;
  const nOthers = nKnown - nNamed;
  if (nOthers) legend.push(entry(`${nOthers} others`, rest, codes, isOther));
  if (isNameless) legend.push(entry("unknown", rest, codes, isUnknown));
  return {
    of: (i) => table[codes[i]],
    rank: (i) => (codes[i] < nNamed ? 1 : 0),
    legend,
    years: null,
  };
}

function byYear(years, { ramp, rest }) {
  const known = years.filter((year) => year !== null);
  const first = known.reduce((a, b) => Math.min(a, b), Infinity);
  const last = known.reduce((a, b) => Math.max(a, b), -Infinity);
  const stops = ramp.map(read);
  const grey = read(rest);
  const of = (i) => {
    if (years[i] === null) return grey;
    const place = ((years[i] - first) / Math.max(1, last - first)) * (stops.length - 1);
    const at = Math.min(Math.floor(place), stops.length - 2);
    return stops[at].map((from, k) => from + (stops[at + 1][k] - from) * (place - at));
  };
  const isUnknown = (i) => years[i] === null;
  return {
    of,
    rank: (i) => (isUnknown(i) ? 0 : 1),
    legend: known.length < years.length ? [entry("unknown", rest, years, isUnknown)] : [],
    years: known.length ? { first, last, stops: ramp } : null,
  };
}

function entry(name, colour, rows, has) {
  return { name, colour, n: rows.reduce((n, _, i) => n + (has(i) ? 1 : 0), 0), has };
}

/** Reads #rrggbb. */
function read(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
