import type { Rule } from './rule.js';

/** A place in the texts of a grammar. */
export interface State {
  /** Whether the text may end here. */
  readonly ends: boolean;
  /** Whether the text may go on. */
  readonly goesOn: boolean;
  /** The place after one more byte; undefined where no text of the grammar has that byte here. */
  next(byte: number): State | undefined;
}

/** A rule that is under way, and what comes after it. `at` counts what is done of it. */
interface Frame {
  readonly id: number;
  readonly rule: Rule;
  readonly at: number;
  readonly after: Frame | undefined;
}

/**
 * The states of a grammar, made as they are reached: a deterministic automaton over sets of stacks. Equal places are one object, so that
 * what is known of a place (its next places, the tokens that it allows) is found out once.
 */
export function startOf(grammar: Rule): State {
  const frames = new Map<string, Frame>();
  const ids = new Map<Rule, number>();
  const states = new Map<string, State>();
  const frame = (rule: Rule, at: number, after: Frame | undefined): Frame => {
    const own = ids.get(rule) ?? ids.set(rule, ids.size).size - 1;
    const key = `${own} ${at} ${after?.id ?? ''}`;
    const known = frames.get(key) ?? { id: frames.size, rule, at, after };
    frames.set(key, known);
    return known;
  };

  /** Goes on to where a byte is read; `end` is told where the text may end. */
  function open(top: Frame | undefined, into: Set<Frame>, seen: Set<Frame>, end: () => void): void {
    if (top === undefined) return end();
    if (seen.has(top)) return;
    seen.add(top);
    const { rule, at, after } = top;
    const enter = (inner: Rule, then: Frame | undefined): void => open(frame(inner, 0, then), into, seen, end);
    switch (rule.kind) {
      case 'text':
        if (at === rule.bytes.length) open(after, into, seen, end);
        else into.add(top);
        return;
      case 'set':
        into.add(top);
        return;
      case 'sequence':
        if (at === rule.rules.length) open(after, into, seen, end);
        else enter(rule.rules[at]!, at + 1 === rule.rules.length ? after : frame(rule, at + 1, after));
        return;
      case 'choice':
        for (const one of rule.rules) enter(one, after);
        return;
      case 'repeat':
        if (at >= rule.least) open(after, into, seen, end);
        // Where any number may come, those beyond the least are one place.
        if (at < rule.most) enter(rule.rule, frame(rule, rule.most === Infinity ? Math.min(at + 1, rule.least) : at + 1, after));
        return;
      case 'lazy':
        enter(rule.rule(), after);
    }
  }

  function stateOf(tops: readonly (Frame | undefined)[]): State | undefined {
    const readers = new Set<Frame>(), seen = new Set<Frame>();
    let ends = false;
    for (const top of tops) open(top, readers, seen, () => { ends = true; });
    if (readers.size === 0 && !ends) return undefined;
    const key = `${[...readers].map(({ id }) => id).sort((a, b) => a - b).join()} ${ends}`;
    const known = states.get(key) ?? createState([...readers], ends);
    states.set(key, known);
    return known;
  }

  function createState(readers: readonly Frame[], ends: boolean): State {
    const known: (State | undefined)[] = [];
    return {
      ends,
      goesOn: readers.length > 0,
      next(byte) {
        if (!(byte in known)) known[byte] = stateOf(readers.flatMap((reader) => read(reader, byte)));
        return known[byte];
      },
    };
  }

  function read({ rule, at, after }: Frame, byte: number): (Frame | undefined)[] {
    if (rule.kind === 'set') return rule.has[byte]! ? [after] : [];
    if (rule.kind === 'text' && rule.bytes[at] === byte) return [frame(rule, at + 1, after)];
    return [];
  }

  // A grammar of no text at all has no state that ends or goes on.
  return stateOf([frame(grammar, 0, undefined)]) ?? createState([], false);
}
