/** Reads the cells of one record. */
import type { Message } from '../text/template.js';
import { type Layout, wayOf } from './columns.js';
import { typeName } from './problem.js';
import type { RawRow, Source } from './source.js';
import { asMessages, asPrompt, asResponse, RowFault } from './turns.js';

/** One record while it is read. */
export interface Context {
  readonly record: RawRow;
  readonly layout: Layout;
  /** Read strings as "\n\nHuman: … \n\nAssistant:" transcripts. */
  readonly hh: boolean;
}

/** The name used in messages: the file's, since that is what the user can look up. */
export function nameOf({ layout }: Context, column: string): string {
  return layout.names.get(column) ?? column;
}

/** A cell as it is in the file; undefined where there is none. */
export function value({ record, layout }: Context, column: string): unknown {
  const name = layout.names.get(column);
  if (name === undefined || !Object.hasOwn(record.fields, name)) return undefined;
  return record.fields[name];
}

/** A cell of CSV that holds JSON turns or scores stands for these. */
export function structured(row: Context, column: string): unknown {
  const cell = value(row, column);
  if (row.record.untyped !== true || typeof cell !== 'string' || !/^\s*(\[\{|\{")/.test(cell)) return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    return cell;
  }
}

/** A list, or undefined where there is none. A cell of CSV holds it as JSON. */
export function listOf(row: Context, column: string): unknown[] | undefined {
  const cell = value(row, column);
  if (cell === undefined || cell === null) return undefined;
  if (Array.isArray(cell)) return cell as unknown[];
  // Parquet columns of numbers may come as typed arrays.
  if (cell instanceof Float32Array || cell instanceof Float64Array || cell instanceof Int32Array) return [...cell];
  const name = nameOf(row, column);
  if (row.record.untyped !== true || typeof cell !== 'string') throw new RowFault(name, `is ${typeName(cell)}, not a list`, cell);
  let parsed: unknown;
  try {
    parsed = JSON.parse(cell);
  } catch {
    throw new RowFault(name, 'is not a list written as JSON', cell);
  }
  if (!Array.isArray(parsed)) throw new RowFault(name, `is ${typeName(parsed)}, not a list`, cell);
  return parsed as unknown[];
}

/** A list of texts, none of them empty; undefined where there is none. */
export function textsOf(row: Context, column: string): string[] | undefined {
  const name = nameOf(row, column);
  const list = listOf(row, column);
  if (list?.length === 0) throw new RowFault(name, 'is an empty list', list, true);
  return list?.map((text, index) => {
    if (typeof text !== 'string') throw new RowFault(name, `has an item ${index + 1} that is ${typeName(text)}, not text`, list);
    if (text.trim() === '') throw new RowFault(name, `has an item ${index + 1} that is empty`, list, true);
    return text;
  });
}

/** What every row has. */
export function common(row: Context): { source: Source; id?: string } {
  const id = value(row, 'id');
  const { source } = row.record;
  return typeof id === 'string' || typeof id === 'number' ? { source, id: String(id) } : { source };
}

/** A response, or another text that must be there: text, or a list of one assistant turn. @throws RowFault */
export const textOf = (row: Context, column: string): string => asResponse(nameOf(row, column), structured(row, column));

/** The prompt, with Alpaca's `input` where there is one. */
export function promptOf(row: Context): Message[] {
  const name = nameOf(row, 'prompt');
  const given = structured(row, 'prompt');
  const input = value(row, 'input');
  if (input === undefined || input === null || input === '') return asPrompt(name, given, row.hh);
  if (typeof input !== 'string') throw new RowFault(nameOf(row, 'input'), `is ${typeName(input)}, not text`, input);
  if (typeof given !== 'string') throw new RowFault(name, `is ${typeName(given)}; with an input it must be text`, given);
  // Alpaca's rule, which CUT's authors follow: the input goes on the line below the instruction.
  return asPrompt(name, `${given}\n${input}`, row.hh);
}

const MESSAGES = ['messages'] as const;
const ANSWER = ['completion', 'prompt', 'input'] as const;

/** The columns of a prompt and its completion, however they are written. */
export const ANSWER_COLUMNS: readonly string[] = [...ANSWER, ...MESSAGES];

/** Whether a file is read by its column `messages`, where a prompt and a completion are wanted. */
export const answersInMessages = (layout: Layout): boolean => wayOf([ANSWER, MESSAGES], layout) === MESSAGES;

/** Whether a file is read by its column `messages`, where conversations are wanted. */
export const conversationsInMessages = (layout: Layout): boolean => wayOf([MESSAGES, ANSWER], layout) === MESSAGES;

/** A prompt and the response to it. */
export function answerOf(row: Context): { prompt: Message[]; completion: string } {
  if (!answersInMessages(row.layout)) {
    return { prompt: promptOf(row), completion: textOf(row, 'completion') };
  }
  const turns = messagesOf(row);
  const name = nameOf(row, 'messages');
  return { prompt: asPrompt(name, turns.slice(0, -1), row.hh), completion: asResponse(name, turns.slice(-1)) };
}

interface RatedAnswer {
  source: Source;
  id?: string;
  prompt: Message[];
  completion: string;
  scores?: Record<string, number>;
}

/** The same with the numbers that the response was given, and what every row has. */
export function ratedAnswerOf(row: Context): RatedAnswer {
  const scores = scoresOf(row);
  return { ...common(row), ...answerOf(row), ...(scores === undefined ? {} : { scores }) };
}

export function messagesOf(row: Context): Message[] {
  const name = nameOf(row, 'messages');
  const given = structured(row, 'messages');
  if (given === undefined) throw new RowFault(name, 'is missing', given);
  if (!Array.isArray(given)) throw new RowFault(name, `is ${typeName(given)}, not a list of turns`, given);
  return asMessages(name, given);
}

export function booleanOf(row: Context, column: string): boolean | undefined {
  const given = value(row, column);
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'boolean') return given;
  if (row.record.untyped === true && typeof given === 'string') {
    const word = given.trim().toLowerCase();
    if (word === 'true' || word === '1') return true;
    if (word === 'false' || word === '0') return false;
  }
  throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not true or false`, given);
}

/** A vote: true or false, or 1 or 0. */
export function voteOf(row: Context): boolean | undefined {
  const given = value(row, 'label');
  return given === 1 || given === 0 ? given === 1 : booleanOf(row, 'label');
}

/**
 * Whether the row says that its response is good: in `satisfied`, or in `label` where the labels are votes. The key is there only where
 * the row says it.
 */
export function satisfiedOf(row: Context): { satisfied?: boolean } {
  const satisfied = booleanOf(row, 'satisfied');
  const vote = row.layout.votes || row.layout.mapped.has('label') ? voteOf(row) : undefined;
  if (satisfied !== undefined && vote !== undefined && satisfied !== vote) {
    const reason = `is ${satisfied}, though ${nameOf(row, 'label')} is ${vote}: make the two agree`;
    throw new RowFault(nameOf(row, 'satisfied'), reason, satisfied);
  }
  const said = satisfied ?? vote;
  return said === undefined ? {} : { satisfied: said };
}

export function numberOf(row: Context, column: string): number | undefined {
  const given = value(row, column);
  if (given === undefined || given === null) return undefined;
  const number = row.record.untyped === true && typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not a finite number`, given);
  }
  return number;
}

export function scoresOf(row: Context): Record<string, number> | undefined {
  const given = structured(row, 'scores');
  if (given === undefined || given === null) return undefined;
  const name = nameOf(row, 'scores');
  if (typeof given !== 'object' || Array.isArray(given)) throw new RowFault(name, `is ${typeName(given)}, not an object of numbers`, given);
  for (const [what, number] of Object.entries(given)) {
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      throw new RowFault(name, `has ${what} that is ${typeName(number)}, not a finite number`, given);
    }
  }
  return given as Record<string, number>;
}
