/** Logs of whole conversations in which feedback stands at the turns that it is about. */
import type { RawRow } from '../data/source.js';
import { isObject, saysNothing } from '../data/turn.js';
import { rankOf } from './roles.js';
import { asTurns, speakerOf } from './turns.js';

type Turn = Readonly<Record<string, unknown>>;

/** Keys that a turn has of itself. */
const OWN = new Set([
  'role', 'from', 'speaker', 'sender', 'author', 'type', 'content', 'value', 'text', 'message', 'body', 'tool_calls', 'name',
]);

/**
 * A record for each answer of a conversation of which something is said at the turn itself: its turns up to that answer, and what is said
 * in columns of their own, `messages[].rating`. Conversations without such an answer stay as they are.
 *
 * @param open Makes columns of an object's keys, which begin with the name given.
 */
export function unfolded(records: readonly RawRow[], open: (fields: Turn, before: string) => Record<string, unknown>): readonly RawRow[] {
  return records.flatMap((record) => {
    for (const [column, value] of Object.entries(record.fields)) {
      const found = Array.isArray(value) && asTurns(value) !== undefined ? judgedTurns(record, column, value as Turn[], open) : [];
      if (found.length > 0) return found;
    }
    return [record];
  });
}

function judgedTurns(
  record: RawRow, column: string, turns: readonly Turn[], open: (fields: Turn, before: string) => Record<string, unknown>,
): RawRow[] {
  return turns.flatMap((turn, i) => {
    if (!isObject(turn) || !['role', 'from', 'speaker', 'sender', 'author'].some((key) => speakerOf(turn[key]) === 'assistant')) return [];
    const extra = Object.fromEntries(Object.entries(turn).filter(([key]) => !OWN.has(key)));
    const columns = open(extra, `${column}[].`);
    const speaks = Object.entries(columns).some(([name, value]) => !saysNothing(value) && isFeedback(name));
    return speaks ? [{ ...record, fields: { ...record.fields, [column]: turns.slice(0, i + 1), ...columns } }] : [];
  });
}

const isFeedback = (name: string): boolean =>
  (['vote', 'score', 'comment', 'demonstration'] as const).some((role) => rankOf(role, name) !== undefined);
