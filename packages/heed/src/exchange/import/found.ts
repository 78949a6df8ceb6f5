/** What an importer finds in the records of another tool. */
import { z } from 'zod';
import { type Problem, typeName } from '../../data/problem.js';
import type { RowKind } from '../../data/rows.js';
import type { RawRow, Source } from '../../data/source.js';
import { illFormed } from '../../data/well-formed.js';
import { isObject } from '../../data/turn.js';
import { asMessages, RowFault } from '../../data/turns.js';
import type { Remark, RemarkedAnswer } from '../../feedback/rows.js';
import type { Message } from '../../text/template.js';

/** A remark, and whether a person or a program made it. */
export interface ImportedRemark extends Remark {
  readonly by?: 'person' | 'program';
}

/** An answer and what was said of it. */
export interface FoundAnswer extends Pick<RemarkedAnswer, 'id' | 'prompt' | 'completion'> {
  /** Why the answer ended. Default: of itself. */
  readonly finish?: string;
  readonly said: readonly ImportedRemark[];
}

/** A row as it stands, in the columns of its kind. */
export interface FoundRow {
  readonly kind: RowKind;
  readonly source: Source;
  readonly row: Readonly<Record<string, unknown>>;
}

/** Where an importer puts what it finds. Each record ends as an answer or a part of one, a row, or a refusal; or as several. */
export interface Findings {
  readonly answers: (FoundAnswer & { readonly source: Source })[];
  readonly rows: FoundRow[];
  readonly refused: Problem[];
  /** Records that are a part of an answer which stands in another record: scores, and turns before it. */
  readonly joined: Source[];
  /** What a user should know of what was found, and how often it was so. */
  readonly notes: Map<string, number>;
  /** Keys of the records that nothing uses, as paths: `meta.tags`. */
  readonly unused: Set<string>;
}

export const noFindings = (): Findings => ({ answers: [], rows: [], refused: [], joined: [], notes: new Map(), unused: new Set() });

/** Why a record, or a part of one, makes no row. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  /** @param value What is at fault. */
  constructor(reason: string, readonly value?: unknown) {
    super(reason);
  }
}

/**
 * Runs `read`; a refusal that it throws is noted at its source.
 *
 * @param place Of a part of the record: `results[3]`.
 * @returns Whether `read` came to its end.
 */
export function orRefuse(findings: Findings, source: Source, read: () => void, place?: string): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof RowFault)) throw error;
    const [reason, column] = error instanceof Refusal ? [error.message] : [error.reason, error.column];
    const parts = [place, column].filter((part) => part !== undefined);
    const { value } = error;
    findings.refused.push({
      source, reason, ...(parts.length > 0 && { column: parts.join(': ') }), ...(value === undefined ? {} : { value }),
    });
    return false;
  }
}

/**
 * Reads a value by a schema, and notes the keys that the schema does not name.
 *
 * @param at Where the value stands in its record, for the names of such keys.
 * @throws Refusal naming the key at fault
 */
export function readAs<T>(schema: z.ZodType<T>, value: unknown, { unused }: Findings, at = ''): T {
  const read = schema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    const path = issue!.path.map(String).join('.');
    throw new Refusal(`${path === '' ? 'the record' : path}: ${issue!.message}`, issue!.path.reduce<unknown>(inner, value));
  }
  noteUnused(value, read.data, at, unused);
  return read.data;
}

const inner = (value: unknown, key: PropertyKey): unknown =>
  (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined);

/** Compares what was given with what a schema kept of it. */
function noteUnused(given: unknown, kept: unknown, at: string, unused: Set<string>): void {
  if (Array.isArray(given) && Array.isArray(kept)) {
    for (const [i, item] of given.entries()) noteUnused(item, kept[i], `${at}[]`, unused);
  } else if (isObject(given) && isObject(kept)) {
    for (const [key, value] of Object.entries(given)) {
      const path = at === '' ? key : `${at}.${key}`;
      if (!Object.hasOwn(kept, key)) unused.add(path);
      else noteUnused(value, kept[key], path, unused);
    }
  }
}

/** An id as the file has it; a stand-in where the id is neither text nor a number. */
export const idOr = (value: unknown, otherwise: string): string =>
  (typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise);

/** Notes what a user should know. */
export function note({ notes }: Findings, what: string, times = 1): void {
  if (times > 0) notes.set(what, (notes.get(what) ?? 0) + times);
}

/** A schema for what an importer hands on as it is. */
export const anything = z.unknown();

/**
 * Turns as OpenAI writes them; `developer` is today's name of `system`.
 *
 * @throws RowFault where a turn holds more than text, or has no role
 */
export function turnsOf(name: string, value: unknown, { unused }: Findings): Message[] {
  if (!Array.isArray(value)) throw new Refusal(`${name}: is ${typeName(value)}, not a list of turns`, value);
  const turns = value.map((turn: unknown) => (isObject(turn) && turn['role'] === 'developer' ? { ...turn, role: 'system' } : turn));
  return asMessages(name, turns, (key) => unused.add(`${name}[].${key}`));
}

/** @throws Refusal where a record holds half a character */
export function requireCharacters({ fields }: RawRow): void {
  const ill = illFormed(fields);
  if (ill !== undefined) throw new Refusal(`${ill.column} ${ill.reason}`, ill.value);
}
