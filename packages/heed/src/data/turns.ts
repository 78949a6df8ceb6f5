/** Prompts and responses, as files write them. */
import { typeName } from './problem.js';
import { RowFault } from './row-fault.js';
import { repeatedKey } from './repeated-key.js';
import { parseSpelt } from './spelt.js';
import { asTurn, isObject, isTurn } from './turn.js';
import { partsOf } from '../text/turn.js';
import type { Message } from '../text/template.js';

export { RowFault } from './row-fault.js';

/** Called with each key of a turn that nothing uses. */
export type Pass = (key: string) => void;
const ignored: Pass = () => undefined;

/** Reads a list of turns. */
export function asMessages(column: string, value: readonly unknown[], pass: Pass = ignored): Message[] {
  if (value.length === 0) throw new RowFault(column, 'is an empty list', value, true);
  return value.map((turn, index) => asTurn(column, index, turn, pass));
}

/** How text begins that can only be meant as turns. */
const TURNS = [
  /^\s*(?:array\(\s*)?\[?\s*\{\s*(['"])(?:role|from|content|value)\1\s*:/,
  // Another key may stand first, JavaScript prints keys bare, and JSON may have been written as JSON once more.
  /^\s*"?\[\s*\{[^{}]*(?<!\w)(?:role|from)\\*['"]?\s*:[^{}]*(?<!\w)(?:content|value)\\*['"]?\s*:/,
  /^\s*"?\[\s*\{[^{}]*(?<!\w)(?:content|value)\\*['"]?\s*:[^{}]*(?<!\w)(?:role|from)\\*['"]?\s*:/,
  // What Python prints of OpenAI's and LangChain's objects.
  /^\s*\[\s*(?:\w+\.)*(?:ChatCompletion\w*|Human|AI|System|Tool|User|Assistant)Message(?:Param)?\(/,
];

const holdsTurns = (value: unknown): boolean =>
  (Array.isArray(value) && value.length > 0 && value.every(isTurn)) || isTurn(value)
  || (isObject(value) && Array.isArray(value['messages']) && value['messages'].every(isTurn));

/**
 * A cell as it is meant: text that spells turns, as JSON or as Python or numpy print them, stands for these.
 *
 * @throws RowFault where text begins like turns and cannot be read
 */
export function unspelt(column: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const parsed = parseSpelt(value);
  if (parsed === undefined && TURNS.some((begin) => begin.test(value))) {
    const twice = repeatedKey(value);
    throw new RowFault(column, twice === undefined
      ? 'begins like a list of turns, but can be read neither as JSON nor as Python'
      : `spells turns of which one has the key ${JSON.stringify(twice)} twice`, value);
  }
  return holdsTurns(parsed) ? parsed : value;
}

/**
 * A prompt as turns: a string is one user turn.
 *
 * @param hh Read "\n\nHuman: … \n\nAssistant:" transcripts as turns.
 */
export function asPrompt(column: string, given: unknown, hh: boolean, pass: Pass = ignored): Message[] {
  const value = unspelt(column, given);
  const turns = promptTurns(column, value, hh, pass);
  const last = turns.at(-1);
  if (last?.role !== 'user' && last?.role !== 'tool') {
    throw new RowFault(column, `ends with a turn of role ${last?.role}; a prompt ends with user or tool`, value);
  }
  if (last.content.trim() === '') throw new RowFault(column, 'is empty', value, true);
  return turns;
}

function promptTurns(column: string, value: unknown, hh: boolean, pass: Pass): Message[] {
  if (Array.isArray(value)) return asMessages(column, value, pass);
  if (!isObject(value)) return textPrompt(column, value, hh);
  // OpenAI's preference rows have their prompt in an object.
  const { messages, tools, ...others } = value;
  if (!Array.isArray(messages)) return asMessages(column, [value], pass);
  for (const key of Object.keys(others)) pass(key);
  return withTools(column, asMessages(column, messages, pass), tools);
}

/** The functions that a conversation may call stand at its first turn. */
export function withTools(column: string, turns: readonly Message[], tools: unknown): Message[] {
  if (tools === undefined || tools === null) return [...turns];
  const list = typeof tools === 'string' ? parseSpelt(tools) : tools;
  if (!Array.isArray(list)) throw new RowFault(column, 'has tools that are no list', tools);
  return list.length === 0 ? [...turns] : turns.map((turn, i) => (i === 0 ? { ...turn, tools: list } : turn));
}

function textPrompt(column: string, value: unknown, hh: boolean): Message[] {
  if (value === undefined) throw new RowFault(column, 'is missing', value);
  // An empty cell of CSV is null.
  if (typeof value !== 'string') throw new RowFault(column, `is ${typeName(value)}, not text or a list of turns`, value, value === null);
  if (!hh) return [{ role: 'user', content: value }];
  const turns = asTranscript(column, value);
  if (turns.at(-1)?.role !== 'assistant' || turns.at(-1)?.content !== '') {
    throw new RowFault(column, 'does not end with "\\n\\nAssistant:"', value.slice(-60));
  }
  return turns.slice(0, -1);
}

export function sameTurn(a: Message | undefined, b: Message | undefined): boolean {
  return a?.role === b?.role && a?.content === b?.content;
}

/** A response without the prompt at its head: many files repeat it there. */
export function withoutPrompt(side: string | Message[], prompt: readonly Message[]): string | Message[] {
  if (typeof side === 'string' || side.length <= prompt.length) return side;
  return prompt.every((turn, index) => sameTurn(turn, side[index])) ? side.slice(prompt.length) : side;
}

/** Splits a "\n\nHuman: … \n\nAssistant: …" transcript, the form of Anthropic's HH data. */
export function asTranscript(column: string, value: string): Message[] {
  const parts = value.split(/\n\n(Human|Assistant):/);
  if (parts[0]?.trim() !== '' || parts.length < 3) {
    throw new RowFault(column, 'is not a transcript that starts with "\\n\\nHuman:"', value);
  }
  const turns: Message[] = [];
  for (let index = 1; index < parts.length; index += 2) {
    turns.push({ role: parts[index] === 'Human' ? 'user' : 'assistant', content: (parts[index + 1] ?? '').trim() });
  }
  return turns;
}

/** A response as text: a string, an assistant turn, or a list that holds one. */
export function asResponse(column: string, given: unknown, pass: Pass = ignored): string {
  const value = unspelt(column, given);
  if (value === undefined) throw new RowFault(column, 'is missing', value);
  let text = value;
  if (Array.isArray(value) || isTurn(value)) {
    const turns = asMessages(column, Array.isArray(value) ? value : [value], pass);
    const [turn] = turns;
    if (turns.length !== 1 || turn?.role !== 'assistant') {
      throw new RowFault(column, `has the turns ${turns.map(({ role }) => role).join(', ')}; a response is one assistant turn`, value);
    }
    requireText(column, turn);
    text = turn.content;
  }
  if (typeof text !== 'string') throw new RowFault(column, `is ${typeName(value)}, not text`, value, value === null);
  if (text.trim() === '') throw new RowFault(column, 'is empty', value, true);
  return text;
}

/** @throws RowFault where a turn is more than its text, or is not to be learned: as a response its text alone would be */
export function requireText(column: string, turn: Message): void {
  const [part] = partsOf(turn);
  if (part !== undefined) throw new RowFault(column, `has ${part}, which method: sft alone learns, from messages`, turn);
  if (turn.weight === 0) throw new RowFault(column, 'has weight 0: the row says that its response is not to be learned', turn);
}
