import { UserError } from '../errors.js';
import type { TokenSequence } from '../text/token-sequence.js';

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
  /** Of each of `labels` the tokens that its distribution is over; undefined: all. */
  readonly kept: readonly (readonly number[] | undefined)[]; // [N]
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
  const rows = placeRows(sequences, share);
  return {
    ids: Int32Array.from([...rows.prompts, ...rows.responses].flat()),
    positions: positionsOf(sequences, rows),
    prompts: rows.prompts.length,
    sequences: sequences.length,
    promptRows: rows.promptRows,
    responseRows: rows.responseRows,
    promptSlots: rows.promptSlots,
    responseSlots: rows.responseSlots,
    longest: Math.max(...sequences.map((s) => s.prompt.length + s.response.length)),
    promptIndex: Int32Array.from(rows.promptIndex),
    shares: rows.shares,
    ...promptTables(rows),
    ...keyTables(rows),
    ...responseTables(sequences, rows),
    ...labelTables(sequences, rows),
  };
}

/** Where each text's rows begin, among the prompts' rows or the responses'. Sizes are named as in `Layout`. */
interface Rows extends Pick<Layout, 'promptRows' | 'responseRows' | 'promptSlots' | 'responseSlots' | 'shares'> {
  /** Every distinct one. */
  readonly prompts: readonly (readonly number[])[];
  readonly responses: readonly (readonly number[])[];
  readonly promptIndex: readonly number[];
  /** Which of its prompt's sequences each sequence is, from 0. */
  readonly shareOf: readonly number[];
  readonly promptStart: readonly number[];
  readonly responseStart: readonly number[];
}

function placeRows(sequences: readonly TokenSequence[], share: boolean): Rows {
  const { prompts, promptIndex } = groupPrompts(sequences, share);
  const responses = sequences.map((s) => s.response);
  const used = new Array<number>(prompts.length).fill(0);
  const shareOf = promptIndex.map((g) => used[g]!++);
  return {
    prompts, responses, promptIndex, shareOf,
    promptStart: starts(prompts), responseStart: starts(responses),
    promptRows: total(prompts), responseRows: total(responses),
    promptSlots: Math.max(...prompts.map((p) => p.length)), responseSlots: Math.max(...responses.map((r) => r.length)),
    shares: Math.max(...used),
  };
}

function positionsOf(
  sequences: readonly TokenSequence[],
  { prompts, promptRows, responseRows, promptStart, responseStart }: Rows,
): BigInt64Array {
  const positions = new BigInt64Array(promptRows + responseRows);
  const put = (row: number, from: number, n: number): void => {
    for (let t = 0; t < n; t++) positions[row + t] = BigInt(from + t);
  };
  prompts.forEach((prompt, g) => put(promptStart[g]!, 0, prompt.length));
  sequences.forEach(({ prompt, response }, s) => put(promptRows + responseStart[s]!, prompt.length, response.length));
  return positions;
}

/** The prompts in their own slots. */
function promptTables({ prompts, promptStart, promptRows, promptSlots: P }: Rows): Pick<Layout, 'promptOf' | 'promptAt' | 'promptMask'> {
  const G = prompts.length;
  const promptOf = new Int32Array(G * P);
  const promptAt = new Int32Array(promptRows);
  const promptMask = new Float32Array(G * P * P).fill(HIDDEN);
  prompts.forEach((prompt, g) => {
    for (let t = 0; t < prompt.length; t++) {
      const [row, slot] = [promptStart[g]! + t, g * P + t];
      promptOf[slot] = row;
      promptAt[row] = slot;
      promptMask.fill(0, slot * P, slot * P + t + 1);
    }
    // A padding query sees slot 0, so that its softmax stays finite; nothing reads its result.
    for (let t = prompt.length; t < P; t++) promptMask[(g * P + t) * P] = 0;
  });
  return { promptOf, promptAt, promptMask };
}

/** The prompts as the keys that each sequence's response sees. */
function keyTables({
  prompts,
  promptIndex,
  shareOf,
  promptStart,
  promptRows,
  promptSlots: P,
  shares,
}: Rows): Pick<Layout, 'keysOf' | 'keysAt'> {
  const S = promptIndex.length;
  const keysOf = new Int32Array(S * P);
  const keysAt = new Int32Array(promptRows * shares).fill(S * P);
  promptIndex.forEach((g, s) => {
    for (let t = 0; t < prompts[g]!.length; t++) {
      const [row, slot] = [promptStart[g]! + t, s * P + t];
      keysOf[slot] = row;
      keysAt[row * shares + shareOf[s]!] = slot;
    }
  });
  return { keysOf, keysAt };
}

function responseTables(
  sequences: readonly TokenSequence[],
  { responseStart, responseRows, promptSlots: P, responseSlots: R }: Rows,
): Pick<Layout, 'responseOf' | 'responseAt' | 'responseMask'> {
  const S = sequences.length;
  const width = P + R;
  const responseOf = new Int32Array(S * R);
  const responseAt = new Int32Array(responseRows);
  const responseMask = new Float32Array(S * R * width).fill(HIDDEN);
  sequences.forEach(({ prompt, response }, s) => {
    for (let t = 0; t < response.length; t++) {
      const [row, slot] = [responseStart[s]! + t, s * R + t];
      responseOf[slot] = row;
      responseAt[row] = slot;
      responseMask.fill(0, slot * width, slot * width + prompt.length);
      responseMask.fill(0, slot * width + P, slot * width + P + t + 1);
    }
    // Padding, as with the prompts.
    for (let t = response.length; t < R; t++) responseMask[(s * R + t) * width] = 0;
  });
  return { responseOf, responseAt, responseMask };
}

/**
 * A response's first token is predicted by its prompt's last row, which other sequences may share; each later one by the response
 * row before it.
 */
function labelTables(
  sequences: readonly TokenSequence[], { prompts, promptIndex, promptStart, promptRows, responseStart, responseRows, shares }: Rows,
): Pick<Layout, 'labels' | 'kept' | 'firstFrom' | 'firstAt' | 'restFrom' | 'restAt' | 'labelOf'> {
  const lastRowOf = prompts.map((prompt, g) => promptStart[g]! + prompt.length - 1);
  interface Supervised { readonly from: number; readonly label: number; readonly among?: readonly number[] }
  const first: Supervised[] = [];
  const rest: (Supervised & { readonly sequence: number; readonly token: number })[] = [];
  const firstOf: number[][] = prompts.map(() => []);
  const labelOf = sequences.map(({ response }) => new Int32Array(response.length).fill(-1));
  sequences.forEach(({ response, supervised, kept }, s) => {
    const g = promptIndex[s]!;
    response.forEach((label, t) => {
      if (supervised?.[t] === false) return;
      if (t > 0) {
        rest.push({ from: responseStart[s]! + t - 1, label, among: kept?.[t], sequence: s, token: t });
        return;
      }
      labelOf[s]![0] = first.length;
      firstOf[g]!.push(first.length);
      first.push({ from: lastRowOf[g]!, label, among: kept?.[t] });
    });
  });
  const firstAt = new Int32Array(promptRows * shares).fill(first.length);
  firstOf.forEach((indices, g) => firstAt.set(indices, lastRowOf[g]! * shares));
  const restAt = new Int32Array(responseRows).fill(rest.length);
  rest.forEach(({ from, sequence, token }, i) => {
    restAt[from] = i;
    labelOf[sequence]![token] = first.length + i;
  });
  return {
    labels: Int32Array.from([...first, ...rest], ({ label }) => label),
    kept: [...first, ...rest].map(({ among }) => among),
    firstFrom: Int32Array.from(first, ({ from }) => from), firstAt,
    restFrom: Int32Array.from(rest, ({ from }) => from), restAt,
    labelOf,
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
