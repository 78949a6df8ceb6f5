import type { Tokenizer } from '../../text/tokenizer.js';
import { type State, startOf } from './automaton.js';
import type { Rule } from './rule.js';

/** Which tokens an answer may go on with. */
export interface Constraint {
  /** At the beginning of an answer. */
  begin(): Place;
}

/** A place in an answer that keeps to a constraint. */
export interface Place {
  /** Gives every token that may not come here the logit −∞. */
  forbid(logits: Float32Array, stopIds: readonly number[]): void;
  /** The place after a token. */
  after(id: number): Place;
}

/** A vocabulary's tokens in the order of their bytes, so that those with one beginning are looked at once. */
interface Vocabulary {
  readonly size: number;
  readonly ids: readonly number[];
  readonly bytes: readonly Uint8Array[];
  /** How many bytes a token has in common with the one before it. */
  readonly shared: readonly number[];
}

const vocabularies = new WeakMap<Tokenizer, Vocabulary>();

function vocabularyOf(tokenizer: Tokenizer): Vocabulary {
  const known = vocabularies.get(tokenizer);
  if (known !== undefined) return known;
  const all: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  for (let id = 0; id < tokenizer.vocabularySize; id++) {
    if (tokenizer.isSpecial(id)) continue;
    const bytes = tokenizer.tokenBytes(id);
    if (bytes.length > 0) all.push({ id, bytes });
  }
  all.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const shared = all.map(({ bytes }, i) => {
    const before = all[i - 1]?.bytes ?? new Uint8Array();
    let n = 0;
    while (n < bytes.length && n < before.length && bytes[n] === before[n]) n++;
    return n;
  });
  const made = { size: tokenizer.vocabularySize, ids: all.map(({ id }) => id), bytes: all.map(({ bytes }) => bytes), shared };
  vocabularies.set(tokenizer, made);
  return made;
}

/** One bit for each token of the vocabulary. */
type Allowed = Uint32Array;

function allowedAt(state: State, { size, ids, bytes, shared }: Vocabulary): Allowed {
  const allowed = new Uint32Array(Math.ceil(size / 32));
  // The places along the bytes of the token that was looked at last, as far as they are allowed.
  const path: State[] = [state];
  for (let i = 0; i < ids.length; i++) {
    const token = bytes[i]!;
    path.length = Math.min(path.length, shared[i]! + 1);
    // A token whose beginning was refused with the one before it is refused too.
    if (path.length <= shared[i]!) continue;
    for (let at: State | undefined = path.at(-1); at !== undefined && path.length <= token.length;) {
      at = at.next(token[path.length - 1]!);
      if (at !== undefined) path.push(at);
    }
    if (path.length > token.length) allowed[ids[i]! >> 5]! |= 1 << (ids[i]! & 31);
  }
  return allowed;
}

/** Keeps an answer to the texts of a grammar: it ends where a text of the grammar may end, or at the answer's last token. */
export function constrain(tokenizer: Tokenizer, grammar: Rule): Constraint {
  const vocabulary = vocabularyOf(tokenizer);
  const known = new Map<State, Allowed>();
  const placeAt = (state: State | undefined): Place => ({
    forbid(logits, stopIds) {
      const ends = state === undefined || state.ends ? stopIds.map((id) => [id, logits[id]!] as const) : [];
      const allowed = state === undefined ? undefined : known.get(state) ?? allowedAt(state, vocabulary);
      if (state !== undefined && allowed !== undefined) known.set(state, allowed);
      for (let id = 0; id < logits.length; id++) {
        const may = allowed !== undefined && id < vocabulary.size && (allowed[id >> 5]! >>> (id & 31)) & 1;
        if (!may) logits[id] = -Infinity;
      }
      for (const [id, logit] of ends) logits[id] = logit;
    },
    after(id) {
      if (id >= vocabulary.size || state === undefined) return placeAt(undefined);
      let next: State | undefined = state;
      for (const byte of tokenizer.tokenBytes(id)) next = next?.next(byte);
      return placeAt(next);
    },
  });
  const start = placeAt(startOf(grammar));
  return { begin: () => start };
}
