/** From tables of tokens to tables of heads, which attention packs and unpacks by. */

/** Token slots [n, t] → head-row slots [n, heads, group·t]: query heads that share a key head lie together (GQA folded into rows). */
export function slotsOfHeads(rowOf: Int32Array, n: number, slots: number, keyHeads: number, group: number): Int32Array {
  const out = new Int32Array(n * keyHeads * group * slots);
  const heads = keyHeads * group;
  let at = 0;
  for (let i = 0; i < n; i++) for (let h = 0; h < heads; h++) for (let t = 0; t < slots; t++) out[at++] = rowOf[i * slots + t]! * heads + h;
  return out;
}

/** Row → slot [rows, m] to head row → head slot [rows·heads, m]; `nowhere` entries stay so. */
export function headsAt(slotOf: Int32Array, m: number, slots: number, slotCount: number, heads: number): Int32Array {
  const rows = slotOf.length / m;
  const out = new Int32Array(rows * heads * m);
  const nowhere = slotCount * heads;
  let at = 0;
  for (let row = 0; row < rows; row++) for (let h = 0; h < heads; h++) for (let j = 0; j < m; j++) {
    const slot = slotOf[row * m + j]!;
    out[at++] = slot === slotCount ? nowhere : (Math.floor(slot / slots) * heads + h) * slots + (slot % slots);
  }
  return out;
}

/** The inverse of a row → slot table: slot → row, with `rows` (nowhere) in slots that no row went to. */
export function invert(slotOf: Int32Array, slotCount: number): Int32Array {
  const out = new Int32Array(slotCount).fill(slotOf.length);
  slotOf.forEach((slot, row) => (out[slot] = row));
  return out;
}
