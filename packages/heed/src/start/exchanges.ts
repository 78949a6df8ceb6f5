/** Prompts with their answers, out of a log's records. */
import type { RawRow } from '../data/source.js';
import { illFormed } from '../data/well-formed.js';
import { sameTurn, withoutPrompt } from '../data/turns.js';
import { partsOf } from '../text/turn.js';
import type { Message } from '../text/template.js';
import { type Leaving, Unusable } from './left-out.js';
import type { Role } from './roles.js';
import { asTranscript, asTurns, speakerOf, textIn } from './turns.js';
import { numberIn } from './votes.js';

const UNASKED = 'answers without a question: no turn of a user comes before them';

/** The cell of a role in a record; undefined where the log has no such column. */
export type Cell = (record: RawRow, role: Role) => unknown;

/** How a log's columns are read. */
export interface Columns {
  readonly cell: Cell;
  has(role: Role): boolean;
  /** Whether the texts of a column spell turns, or are transcripts. A text in another column that looks like them is a text. */
  spells(role: Role): boolean;
}

/** A prompt with its answer, or with two of them. */
export interface Exchange {
  readonly record: RawRow;
  readonly prompt: readonly Message[];
  readonly completion?: string;
  readonly sides?: readonly [string, string];
}

/** Exchanges, and counts of the records that made none. */
export interface Exchanges {
  readonly exchanges: readonly Exchange[];
  /** Records that are turns before an answer, in a log of one message a record. */
  readonly context: number;
  /** Whether earlier exchanges of a conversation stand before later prompts. */
  readonly joined: number;
}

/**
 * Reads exchanges: from one record each, or from the messages of a conversation.
 *
 * @param join Whether records of one conversation follow one another, so that the earlier ones stand before the prompt of the later.
 * @param leaving Takes the records that make no exchange.
 */
export function exchangesOf(
  records: readonly RawRow[], columns: Columns, join: boolean, leaving: Leaving,
): Exchanges {
  const { cell, has } = columns;
  const sound = records.filter((record) => {
    const ill = illFormed(record.fields);
    if (ill !== undefined) leaving.add('rows with half a character (a broken surrogate pair)', [record.source]);
    return ill === undefined;
  });
  if (has('content')) return ofMessages(sound, cell, leaving);
  const exchanges = sound.flatMap((record): Exchange[] => {
    try {
      return [exchangeOf(record, columns)];
    } catch (fault) {
      if (!(fault instanceof Unusable)) throw fault;
      leaving.add(fault.message, [record.source]);
      return [];
    }
  });
  const apart = { exchanges, context: 0, joined: 0 };
  return join && has('conversation') && has('prompt') ? { ...apart, ...joined(exchanges, cell) } : apart;
}

function exchangeOf(record: RawRow, columns: Columns): Exchange {
  const { cell, has } = columns;
  const turnsOf = (role: Role): Message[] | undefined => turnsIn(cell(record, role), columns.spells(role));
  const text = (role: Role): string | undefined => {
    const found = textIn(cell(record, role))?.trim();
    return found === '' ? undefined : found;
  };
  const system = text('system');
  const begin = (turns: readonly Message[]): Message[] =>
    (system === undefined || turns[0]?.role === 'system' ? [...turns] : [{ role: 'system', content: system }, ...turns]);
  if (has('messages') && !has('prompt')) {
    const turns = turnsOf('messages');
    if (turns === undefined) throw new Unusable('rows whose turns cannot be read');
    if (!has('completion') && !has('chosen') && !has('first')) return { record, ...split(begin(turns)) };
    const prompt = promptOf(begin(turns));
    return { record, prompt, ...answerOf(record, columns, prompt) };
  }
  if (!has('prompt') && has('chosen')) return { record, ...sharedBeginning(turnsOf('chosen'), turnsOf('rejected')) };
  const turns = turnsOf('prompt');
  const input = text('input');
  const asked = textIn(cell(record, 'prompt')) ?? '';
  if (turns === undefined && asked.trim() === '') throw new Unusable('rows without a prompt');
  // Alpaca's rule, as the reader of rows has it: the input goes on the line below the instruction.
  const own: Message[] = turns ?? [{ role: 'user', content: input === undefined ? asked : `${asked}\n${input}` }];
  const prompt = promptOf(begin(own));
  return { record, prompt, ...answerOf(record, columns, prompt) };
}

function turnsIn(value: unknown, spells: boolean): Message[] | undefined {
  if (typeof value !== 'string') return asTurns(value);
  return spells ? asTurns(value) ?? asTranscript(value) : undefined;
}

/** Turns up to the last answer. */
function split(turns: readonly Message[]): { prompt: readonly Message[]; completion: string } {
  const at = turns.findLastIndex(({ role }) => role === 'assistant');
  if (at === -1) throw new Unusable('conversations without an answer');
  return { prompt: promptOf(turns.slice(0, at)), completion: plainAnswer(turns[at]!) };
}

/** @throws Unusable where turns do not end as a prompt does */
function promptOf(given: readonly Message[]): readonly Message[] {
  // A transcript of which the answer is wanted ends with an empty turn of the assistant.
  const turns = given.at(-1)?.role === 'assistant' && given.at(-1)!.content === '' ? given.slice(0, -1) : given;
  const last = turns.at(-1);
  if (last === undefined) throw new Unusable('rows without a prompt');
  if (last.role !== 'user' && last.role !== 'tool') throw new Unusable(UNASKED);
  if (last.content.trim() === '') throw new Unusable('rows without a prompt');
  return turns;
}

function plainAnswer(turn: Message): string {
  if (partsOf(turn).length > 0) throw new Unusable('answers that call tools or carry more than text');
  if (turn.content.trim() === '') throw new Unusable('rows without an answer');
  return turn.content;
}

function answerOf(
  record: RawRow, { cell, has, spells }: Columns, prompt: readonly Message[],
): { readonly completion: string } | { readonly sides: readonly [string, string] } {
  const answer = (role: Role): string => answerIn(cell(record, role), spells(role), prompt);
  if (has('chosen')) return { sides: [answer('chosen'), answer('rejected')] };
  return has('first') ? { sides: [answer('first'), answer('second')] } : { completion: answer('completion') };
}

/** An answer's text: as it stands, or the last turn after those of the prompt. */
function answerIn(value: unknown, spells: boolean, prompt: readonly Message[]): string {
  const turns = turnsIn(value, spells);
  if (turns !== undefined) return lastAnswer(turns, prompt);
  const text = textIn(value);
  if (text === undefined || text.trim() === '') throw new Unusable('rows without an answer');
  return text;
}

function lastAnswer(turns: Message[], prompt: readonly Message[]): string {
  const rest = withoutPrompt(turns, prompt) as Message[];
  if (rest.length !== 1 || rest[0]!.role !== 'assistant') throw new Unusable('answers of several turns');
  return plainAnswer(rest[0]!);
}

/** Pairs without a prompt: the turns with which both sides begin. */
function sharedBeginning(
  chosen: Message[] | undefined, rejected: Message[] | undefined,
): { prompt: readonly Message[]; sides: readonly [string, string] } {
  if (chosen === undefined || rejected === undefined) throw new Unusable('rows without a prompt');
  let shared = 0;
  while (shared < chosen.length - 1 && shared < rejected.length - 1 && sameTurn(chosen[shared], rejected[shared])) shared++;
  const prompt = promptOf(chosen.slice(0, shared));
  return { prompt, sides: [lastAnswer(chosen, prompt), lastAnswer(rejected, prompt)] };
}

/** The records of each conversation in their order: by their place, else by date, else as they stand in the file. */
export function byConversation<T>(items: readonly T[], recordOf: (item: T) => RawRow, cell: Cell): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyIn(cell(recordOf(item), 'conversation'));
    // A record that names no conversation is one of its own.
    const place = key ?? `\u0000${recordOf(item).source.line} ${recordOf(item).source.file}`;
    const group = groups.get(place);
    if (group === undefined) groups.set(place, [item]);
    else group.push(item);
  }
  const at = (item: T): number => {
    const record = recordOf(item);
    return numberIn(cell(record, 'turn')) ?? dateIn(cell(record, 'date')) ?? NaN;
  };
  return [...groups.values()].map((group) => {
    const ordered = group.every((item) => !Number.isNaN(at(item)));
    return ordered ? [...group].sort((a, b) => at(a) - at(b)) : group;
  });
}

/** A key as text; undefined where there is none. */
export const keyIn = (value: unknown): string | undefined => {
  const text = textIn(value)?.trim();
  return text === undefined || text === '' ? undefined : text;
};

/** Milliseconds since 1970; undefined where a cell is no date. Days before months in 31.12.2025, months before days in 12/31/2025. */
export function dateIn(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  const number = numberIn(value);
  if (number !== undefined) return number < 1e11 ? number * 1000 : number;
  if (typeof value !== 'string') return undefined;
  const [, day, month, year] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})/.exec(value.trim()) ?? [];
  const time = Date.parse(day === undefined ? value : `${year}-${month!.padStart(2, '0')}-${day.padStart(2, '0')}`);
  return Number.isNaN(time) ? undefined : time;
}

/** Earlier exchanges of a conversation before the prompts of the later. A prompt that is asked again is answered anew, not continued. */
function joined(exchanges: readonly Exchange[], cell: Cell): { exchanges: Exchange[]; joined: number } {
  const made = new Map<Exchange, Exchange>();
  let count = 0;
  for (const group of byConversation(exchanges, ({ record }) => record, cell)) {
    let past: readonly Message[] = [];
    let before: Exchange | undefined;
    for (const exchange of group) {
      const { prompt, completion } = exchange;
      const again = before !== undefined && sameTurn(before.prompt.at(-1), prompt.at(-1));
      if (before !== undefined && !again) past = [...past, ...asked(before), { role: 'assistant', content: before.completion ?? '' }];
      before = completion === undefined ? undefined : exchange;
      const system = prompt.filter(({ role }) => role === 'system');
      if (past.length > 0) count++;
      made.set(exchange, past.length === 0 ? exchange : { ...exchange, prompt: [...system, ...past, ...asked(exchange)] });
    }
  }
  return { exchanges: exchanges.map((exchange) => made.get(exchange)!), joined: count };
}

const asked = ({ prompt }: Exchange): Message[] => prompt.filter(({ role }) => role !== 'system');

/** A log of one message a record: each answer with what came before it. */
function ofMessages(records: readonly RawRow[], cell: Cell, leaving: Leaving): Exchanges {
  const exchanges: Exchange[] = [];
  let context = 0;
  for (const group of byConversation(records, (record) => record, cell)) {
    const past: Message[] = [];
    for (const record of group) {
      const role = speakerOf(cell(record, 'speaker'));
      const content = textIn(cell(record, 'content')) ?? '';
      if (role === undefined) {
        leaving.add('messages of someone who is neither user nor assistant', [record.source]);
        continue;
      }
      if (role !== 'assistant') context++;
      else if (content.trim() === '') leaving.add('rows without an answer', [record.source]);
      else if (past.at(-1)?.role !== 'user') leaving.add(UNASKED, [record.source]);
      else exchanges.push({ record, prompt: [...past], completion: content });
      if (content.trim() !== '') past.push({ role, content });
    }
  }
  return { exchanges, context, joined: 0 };
}
