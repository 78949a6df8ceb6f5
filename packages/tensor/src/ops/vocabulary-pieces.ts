/** The pieces that a large table of the vocabulary is worked through in. Two that read one table agree on them, so a GPU has each once. */

const WHOLE = 2 ** 26;
const PIECE = 2 ** 23;

/** How many: 1 for a table of at most 2^26 numbers, else pieces of about 2^23. */
export const piecesOf = ([V, H]: readonly [number, number]): number => (V * H <= WHOLE ? 1 : Math.ceil((V * H) / PIECE));

/** First row of each, and the row after its last. All but the last are equally large. */
export const boundsOf = (V: number, pieces: number): [number, number][] => {
  const size = Math.ceil(V / pieces);
  return Array.from({ length: Math.ceil(V / size) }, (_, i) => [i * size, Math.min(V, (i + 1) * size)]);
};
