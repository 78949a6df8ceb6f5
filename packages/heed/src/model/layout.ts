import { UserError } from '../errors.js';

/** Token ids of one scored text: the model reads `prompt` then `response`; each supervised response token gets a log-probability. */
export interface TokenSequence {
  readonly prompt: readonly number[];
  readonly response: readonly number[];
  /** Which response tokens are supervised; all of them by default. */
  readonly supervised?: readonly boolean[];
}

/**
 * How sequences lie in one forward pass. Rows (tokens) are flat, without padding: first every distinct prompt, then every
 * response, so a prompt that several sequences share is computed once. Attention alone is padded: `P` prompt slots and `R`
 * response slots; queries of a response see its prompt's keys and their own past. All index tables are computed here, on the host.
 */
export interface Layout {
  readonly ids: Int32Array; // [Mp + Mr]
  readonly positions: BigInt64Array; // [1, Mp + Mr]
  readonly prompts: number; // G
  readonly sequences: number; // S
  readonly promptRows: number; // Mp
  readonly responseRows: number; // Mr
  readonly promptSlots: number; // P
  readonly responseSlots: number; // R
  readonly longest: number; // largest position + 1
  readonly promptIndex: Int32Array; // [S] which prompt each sequence continues
  /** Slot → row; a padding slot reads row 0, which the mask hides. [G, P], [S, P], [S, R] */
  readonly promptOf: Int32Array;
  readonly keysOf: Int32Array;
  readonly responseOf: Int32Array;
  /** Row → slot. [Mp] in the prompts' own slots, [Mp, shares] in the responses' prompt keys, [Mr] */
  readonly promptAt: Int32Array;
  readonly keysAt: Int32Array;
  readonly responseAt: Int32Array;
  readonly shares: number; // K: the most sequences on one prompt
  /** Additive attention masks [G, P, P] and [S, R, P + R]: 0 or −1e9. */
  readonly promptMask: Float32Array;
  readonly responseMask: Float32Array;
  /** The supervised tokens: first those that a prompt's last row predicts, then those that response rows predict. */
  readonly labels: Int32Array; // [N]
  readonly firstFrom: Int32Array; // [Nf] prompt row that predicts
  readonly firstAt: Int32Array; // [Mp, shares] → which of Nf, or Nf
  readonly restFrom: Int32Array; // [Nr] response row that predicts
  readonly restAt: Int32Array; // [Mr] → which of Nr, or Nr
  /** For each sequence, for each response token: its index in `labels`, or −1 where it is not supervised. */
  readonly labelOf: readonly Int32Array[];
}

const HIDDEN = -1e9;

/** Lays sequences out. Equal prompts are shared unless `share` is false. */
export function layOut(sequences: readonly TokenSequence[], { share = true }: { share?: boolean } = {}): Layout {
  if (sequences.length === 0) throw new Error('There is nothing to lay out.');
  const { prompts, promptIndex } = groupPrompts(sequences, share);
  const shares = Math.max(...count(promptIndex, prompts.length));
  const promptRows = total(prompts);
  const responses = sequences.map((s) => s.response);
  const responseRows = total(responses);
  const P = Math.max(...prompts.map((p) => p.length));
  const R = Math.max(...responses.map((r) => r.length));
  const [G, S] = [prompts.length, sequences.length];

  const ids = Int32Array.from([...prompts, ...responses].flat());
  const positions = new BigInt64Array(promptRows + responseRows);
  const promptStart = starts(prompts);
  const responseStart = starts(responses);

  const promptOf = new Int32Array(G * P);
  const promptAt = new Int32Array(promptRows);
  const promptMask = new Float32Array(G * P * P).fill(HIDDEN);
  prompts.forEach((prompt, g) => {
    for (let t = 0; t < prompt.length; t++) {
      const row = promptStart[g]! + t;
      positions[row] = BigInt(t);
      promptOf[g * P + t] = row;
      promptAt[row] = g * P + t;
      promptMask.fill(0, (g * P + t) * P, (g * P + t) * P + t + 1);
    }
    // A padding query sees slot 0, so that its softmax stays finite; nothing reads its result.
    for (let t = prompt.length; t < P; t++) promptMask[(g * P + t) * P] = 0;
  });

  const keysOf = new Int32Array(S * P);
  const keysAt = new Int32Array(promptRows * shares).fill(S * P);
  const responseOf = new Int32Array(S * R);
  const responseAt = new Int32Array(responseRows);
  const width = P + R;
  const responseMask = new Float32Array(S * R * width).fill(HIDDEN);
  const used = new Array<number>(G).fill(0);
  const labels: number[] = [];
  const rest: { from: number; label: number; sequence: number; token: number }[] = [];
  const firstFrom: number[] = [];
  const firstAt: number[][] = prompts.map(() => []);
  const labelOf = responses.map((r) => new Int32Array(r.length).fill(-1));

  sequences.forEach((sequence, s) => {
    const g = promptIndex[s]!;
    const prompt = prompts[g]!;
    const { response, supervised } = sequence;
    const share = used[g]!++;
    for (let t = 0; t < prompt.length; t++) {
      keysOf[s * P + t] = promptStart[g]! + t;
      keysAt[(promptStart[g]! + t) * shares + share] = s * P + t;
    }
    for (let t = 0; t < R; t++) {
      const slot = s * R + t;
      if (t >= response.length) {
        responseMask[slot * width] = 0;
        continue;
      }
      const row = responseStart[s]! + t;
      positions[promptRows + row] = BigInt(prompt.length + t);
      responseOf[slot] = row;
      responseAt[row] = slot;
      responseMask.fill(0, slot * width, slot * width + prompt.length);
      responseMask.fill(0, slot * width + P, slot * width + P + t + 1);
      if (supervised?.[t] === false) continue;
      if (t === 0) {
        labelOf[s]![0] = labels.length;
        firstAt[g]!.push(labels.length);
        firstFrom.push(promptStart[g]! + prompt.length - 1);
        labels.push(response[0]!);
      } else {
        rest.push({ from: row - 1, label: response[t]!, sequence: s, token: t });
      }
    }
  });
  const Nf = firstFrom.length;
  const restAt = new Int32Array(responseRows).fill(rest.length);
  rest.forEach((r, i) => {
    labelOf[r.sequence]![r.token] = Nf + i;
    restAt[r.from] = i;
    labels.push(r.label);
  });
  const firstTable = new Int32Array(promptRows * shares).fill(Nf);
  firstAt.forEach((indices, g) => firstTable.set(indices, (promptStart[g]! + prompts[g]!.length - 1) * shares));

  return {
    ids, positions, prompts: G, sequences: S, promptRows, responseRows, promptSlots: P, responseSlots: R,
    longest: Math.max(...sequences.map((s) => s.prompt.length + s.response.length)),
    promptOf, keysOf, responseOf, promptAt, keysAt, responseAt, shares, promptMask, responseMask,
    promptIndex: Int32Array.from(promptIndex), labels: Int32Array.from(labels), firstFrom: Int32Array.from(firstFrom), firstAt: firstTable,
    restFrom: Int32Array.from(rest.map((r) => r.from)), restAt, labelOf,
  };
}

/** The masks of a layout for layers where a token sees the last `window` positions only, its own among them. */
export function windowMasks(l: Layout, window: number): Pick<Layout, 'promptMask' | 'responseMask'> {
  const { prompts: G, sequences: S, promptSlots: P, responseSlots: R } = l;
  const promptMask = Float32Array.from(l.promptMask);
  // A slot that does not see itself is padding: what it sees does not matter, so long as it sees something.
  for (let g = 0; g < G; g++) for (let t = 0; t < P; t++) {
    const at = (g * P + t) * P;
    if (promptMask[at + t] === 0) promptMask.fill(HIDDEN, at, at + Math.max(0, t - window + 1));
  }
  const width = P + R;
  const responseMask = Float32Array.from(l.responseMask);
  for (let s = 0; s < S; s++) {
    const start = Number(l.positions[l.promptRows + l.responseOf[s * R]!]);
    for (let t = 0; t < R; t++) {
      const at = (s * R + t) * width;
      if (responseMask[at + P + t] !== 0) continue;
      responseMask.fill(HIDDEN, at, at + Math.min(start, Math.max(0, start + t - window + 1)));
      responseMask.fill(HIDDEN, at + P, at + P + Math.max(0, t - window + 1));
    }
  }
  return { promptMask, responseMask };
}

/** The response row that each sequence of a layout ends in, where a head reads: responses lie one behind the other. */
export function lastRows(sequences: readonly TokenSequence[]): Int32Array {
  let end = 0;
  return Int32Array.from(sequences, ({ response }) => (end += response.length) - 1);
}

function groupPrompts(sequences: readonly TokenSequence[], share: boolean): { prompts: (readonly number[])[]; promptIndex: number[] } {
  const prompts: (readonly number[])[] = [];
  const known = new Map<string, number>();
  const promptIndex = sequences.map(({ prompt, response }, i) => {
    if (prompt.length === 0) throw new UserError('A prompt has no tokens: the first response token would have nothing to follow.');
    if (response.length === 0) throw new UserError('A response has no tokens: there is nothing to score.');
    const key = share ? prompt.join() : `${i}`;
    const at = known.get(key) ?? prompts.push(prompt) - 1;
    known.set(key, at);
    return at;
  });
  return { prompts, promptIndex };
}

const total = (lists: readonly (readonly number[])[]): number => lists.reduce((n, list) => n + list.length, 0);

function starts(lists: readonly (readonly number[])[]): number[] {
  let at = 0;
  return lists.map((list) => (at += list.length) - list.length);
}

function count(indices: readonly number[], n: number): number[] {
  const counts = new Array<number>(n).fill(0);
  for (const i of indices) counts[i]!++;
  return counts;
}

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
