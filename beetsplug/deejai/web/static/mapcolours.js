/** What the colours of a map mean, as the server has chosen them. */

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
  const ground = isDark ? "dark" : "light";
  const { colours, rows, n_named: nNamed, legend, ramp } = data.colourings[by];
  const table = colours[ground].map(read);
  const rowOf = (i) => rows[data[by][i]];
  return {
    of: (i) => table[rowOf(i)],
    rank: (i) => (rowOf(i) < nNamed ? 1 : 0),
    legend: legend.map(({ name, row, n_tracks: n }) => ({
      name,
      colour: colours[ground][row],
      n,
      has: (i) => rowOf(i) === row,
    })),
    years: ramp && { first: ramp.first, last: ramp.last, stops: ramp.colours[ground] },
  };
}

/** Reads #rrggbb. */
function read(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** Reads a colour of CSS: as [red, green, blue]. */
export function readColour(text) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = text;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
