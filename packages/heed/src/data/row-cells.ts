/** Reads the cells of one record. */
import type { Message } from '../text/template.js';
import { type Layout, mappedValue, type ValueMap, wayOf } from './columns.js';
import { typeName } from './problem.js';
import type { RawRow, Source } from './source.js';
import { parseSpelt } from './spelt.js';
import { isObject, isTurn, saysNothing } from './turn.js';
import { asMessages, asPrompt, asResponse, type Pass, requireText, RowFault, unspelt, withTools } from './turns.js';

/** A record while its cells are read. */
export interface Context {
  readonly record: RawRow;
  readonly layout: Layout;
  /** Read strings as "\n\nHuman: … \n\nAssistant:" transcripts. */
  readonly hh: boolean;
  /** What the file writes for true and false. Default: true and false. */
  readonly values?: ValueMap;
}

/** The name used in messages: the file's, since that is what the user can look up. */
export function nameOf({ layout }: Context, column: string): string {
  return layout.names.get(column) ?? column;
}

/** A cell as it is in the file; undefined where there is none. */
export function value({ record, layout }: Context, column: string): unknown {
  const name = layout.names.get(column);
  if (name === undefined) return undefined;
  layout.seen.columns.add(name);
  return Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
}

/** Notes keys of a column's turns that nothing uses. */
export const passOf = (row: Context, column: string): Pass => (key) => {
  row.layout.seen.keys.add(`${nameOf(row, column)}[].${key}`);
};

/** Notes what a user should know of this row: the doctor lists such rows under `name`, where their share of all rows is `from` or more. */
export function notice({ record: { source }, layout: { seen } }: Context, name: string, advice: string, from = 0): void {
  const { sources } = seen.notices.get(name) ?? seen.notices.set(name, { advice, from, sources: [] }).get(name)!;
  sources.push(source);
}

/** A cell, in which text that spells turns stands for these. */
export const structured = (row: Context, column: string): unknown => unspelt(nameOf(row, column), value(row, column));

/** Text that is no turns; undefined where there is none. */
export function plainText(row: Context, column: string): string | undefined {
  const given = value(row, column);
  if (given === undefined || given === null) return undefined;
  if (typeof given !== 'string') throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not text or null`, given);
  if (unspelt(nameOf(row, column), given) !== given) throw new RowFault(nameOf(row, column), 'spells turns, where text belongs', given);
  return given;
}

/** A list, or undefined where there is none. A cell of text may spell it, as JSON or as Python prints it. */
export function listOf(row: Context, column: string): unknown[] | undefined {
  const cell = value(row, column);
  if (cell === undefined || cell === null) return undefined;
  if (Array.isArray(cell)) return cell as unknown[];
  // Parquet columns of numbers may come as typed arrays.
  if (cell instanceof Float32Array || cell instanceof Float64Array || cell instanceof Int32Array) return [...cell];
  const name = nameOf(row, column);
  const parsed = typeof cell === 'string' ? parseSpelt(cell) : undefined;
  if (Array.isArray(parsed)) return parsed as unknown[];
  const untyped = row.record.untyped === true && parsed === undefined;
  throw new RowFault(name, untyped ? 'is not a list written as JSON' : `is ${typeName(parsed ?? cell)}, not a list`, cell);
}

/** A list of texts that are not empty; undefined where there is no list. */
export function textsOf(row: Context, column: string): string[] | undefined {
  const name = nameOf(row, column);
  const list = listOf(row, column);
  if (list?.length === 0) throw new RowFault(name, 'is an empty list', list, true);
  return list?.map((item, index) => {
    const text = isTurn(item) || (Array.isArray(item) && item.every(isTurn)) ? asResponse(name, item, passOf(row, column)) : item;
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
export const textOf = (row: Context, column: string): string => asResponse(nameOf(row, column), value(row, column), passOf(row, column));

/** The columns of a prompt: `system` and `history` come before it, `tools` are what it may call. */
export const PROMPT_COLUMNS: readonly string[] = ['prompt', 'input', 'system', 'history', 'tools'];

/** The prompt, with Alpaca's `input` where there is one, after `system` and `history`. */
export function promptOf(row: Context): Message[] {
  const name = nameOf(row, 'prompt');
  const given = structured(row, 'prompt');
  const input = plainText(row, 'input') ?? '';
  const pass = passOf(row, 'prompt');
  if (input === '') return begun(row, asPrompt(name, given, row.hh, pass));
  if (typeof given !== 'string') throw new RowFault(name, `is ${typeName(given)}; with an input it must be text`, given);
  // Alpaca's rule, which CUT's authors follow: the input goes on the line below the instruction.
  return begun(row, asPrompt(name, `${given}\n${input}`, row.hh, pass));
}

/** The turns after those of `system` and `history`, with the row's tools. @throws RowFault where both have a system turn */
export function begun(row: Context, turns: readonly Message[]): Message[] {
  const system = plainText(row, 'system') ?? '';
  const history = historyOf(row);
  if ((system !== '' || history.length > 0) && turns[0]?.role === 'system') {
    const name = nameOf(row, system === '' ? 'history' : 'system');
    throw new RowFault(name, 'stands beside turns that begin with a system turn themselves', row.record.fields[name]);
  }
  const first: Message[] = system === '' ? [] : [{ role: 'system', content: system }];
  return withTools(nameOf(row, 'tools'), [...first, ...history, ...turns], value(row, 'tools'));
}

/** LLaMA-Factory's `history`: pairs of what a user said and what was answered; or turns. */
function historyOf(row: Context): Message[] {
  const name = nameOf(row, 'history');
  const cell = value(row, 'history');
  const list = saysNothing(cell) ? [] : listOf(row, 'history') ?? [];
  if (list.length === 0) return [];
  if (list.every(isTurn)) return asMessages(name, list, passOf(row, 'history'));
  return list.flatMap((pair, index): Message[] => {
    const [asked, answered, ...more] = Array.isArray(pair) ? pair as unknown[] : [];
    if (typeof asked !== 'string' || typeof answered !== 'string' || more.length > 0) {
      throw new RowFault(name, `has an item ${index + 1} that is no pair of texts, [what the user said, what was answered]`, pair);
    }
    return [{ role: 'user', content: asked }, { role: 'assistant', content: answered }];
  });
}

const MESSAGES = ['messages'] as const;
const ANSWER = ['completion', 'prompt', 'input'] as const;

/** The columns of a prompt and its completion, however they are written. */
export const ANSWER_COLUMNS: readonly string[] = [...new Set([...ANSWER, ...PROMPT_COLUMNS, ...MESSAGES])];

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
  const last = turns.at(-1)!;
  if (last.role !== 'assistant') throw new RowFault(name, `ends with a turn of role ${last.role}; a response is one assistant turn`, turns);
  requireText(name, last);
  if (last.content.trim() === '') throw new RowFault(name, 'is empty', turns, true);
  return { prompt: promptEnd(name, turns.slice(0, -1)), completion: last.content };
}

/** @throws RowFault where turns do not end as a prompt does */
export function promptEnd(column: string, turns: readonly Message[]): Message[] {
  const last = turns.at(-1);
  if (last?.role !== 'user' && last?.role !== 'tool') {
    throw new RowFault(column, `ends with a turn of role ${last?.role}; a prompt ends with user or tool`, turns);
  }
  if (last.content.trim() === '') throw new RowFault(column, 'is empty', turns, true);
  return [...turns];
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
  return begun(row, asMessages(name, given, passOf(row, 'messages')));
}

/** What is wrong with a value that `data.values` could map. */
export const NOT_BOOLEAN = 'not true or false';

/** True or false, as the file or `data.values` writes it; undefined where there is none. */
export function booleanOf(row: Context, column: string): boolean | undefined {
  const given = value(row, column);
  if (given === undefined || given === null) return undefined;
  const mapped = mappedValue(row.values ?? {}, given);
  if (mapped !== undefined) return mapped;
  if (typeof given === 'boolean') return given;
  if (row.record.untyped === true && typeof given === 'string') {
    const word = given.trim().toLowerCase();
    if (/^(true|1(\.0)?)$/.test(word)) return true;
    if (/^(false|0(\.0)?)$/.test(word)) return false;
  }
  throw new RowFault(nameOf(row, column), `is ${typeName(given)}, ${NOT_BOOLEAN}`, given);
}

/** A vote: true or false, or 1 or 0. */
export function voteOf(row: Context): boolean | undefined {
  const given = value(row, 'label');
  const numbers = (given === 1 || given === 0) && mappedValue(row.values ?? {}, given) === undefined;
  return numbers ? given === 1 : booleanOf(row, 'label');
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
  const cell = value(row, 'scores');
  const given = typeof cell === 'string' ? parseSpelt(cell) ?? cell : cell;
  if (given === undefined || given === null) return undefined;
  const name = nameOf(row, 'scores');
  if (!isObject(given)) throw new RowFault(name, `is ${typeName(given)}, not an object of numbers`, given);
  for (const [what, number] of Object.entries(given)) {
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      throw new RowFault(name, `has ${what} that is ${typeName(number)}, not a finite number`, given);
    }
  }
  return given as Record<string, number>;
}
