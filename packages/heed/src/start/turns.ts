/** Turns and texts, in the many forms in which logs write them. */
import { isObject, saysNothing } from '../data/turn.js';
import { parseSpelt } from '../data/spelt.js';
import type { Message } from '../text/template.js';

const SPEAKERS: ReadonlyMap<string, Message['role']> = new Map(([
  ['user', 'user human customer client visitor guest caller q question you me kunde kundin nutzer cliente usuario utilisateur'],
  ['assistant', 'assistant gpt chatgpt bot chatbot model ai agent support a answer asistente'],
  ['system', 'system developer'],
  ['tool', 'tool function observation function_response'],
] as const).flatMap(([role, names]) => names.split(' ').map((name): [string, Message['role']] => [name, role])));

/** Who speaks, by the name that a log gives; undefined where it is not known. "User 1" is a user. */
export const speakerOf = (name: unknown): Message['role'] | undefined =>
  (typeof name === 'string' ? SPEAKERS.get(name.trim().toLowerCase().replace(/[\s_-]*\d+$/, '')) : undefined);

const WHO = ['role', 'from', 'speaker', 'sender', 'author', 'type'];
const WHAT = ['content', 'value', 'text', 'message', 'body'];
/** Keys that the reader of rows knows, beside who and what. */
const KEPT = ['tool_calls', 'tool_call_id', 'name', 'weight'];

/** A list of turns in OpenAI's form; undefined where it is none, or where someone speaks whose part is not known. */
export function asTurns(value: unknown): Message[] | undefined {
  const list: unknown = typeof value === 'string' ? parseSpelt(value) : value;
  if (isObject(list) && Array.isArray(list['messages'])) return asTurns(list['messages']);
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const turns = list.map(asTurn);
  return turns.every((turn) => turn !== undefined) ? turns : undefined;
}

function asTurn(value: unknown): Message | undefined {
  if (typeof value === 'string') return spokenLine(value);
  if (!isObject(value)) return undefined;
  const role = speakerOf(WHO.map((key) => value[key]).find((name) => speakerOf(name) !== undefined));
  const key = WHAT.find((name) => name in value);
  if (role === undefined || (key === undefined && !Array.isArray(value['tool_calls']))) return undefined;
  const content = key === undefined ? '' : textIn(value[key]) ?? (saysNothing(value[key]) ? '' : undefined);
  if (content === undefined) return undefined;
  const kept = Object.fromEntries(KEPT.filter((name) => !saysNothing(value[name])).map((name) => [name, value[name]]));
  return { role, content, ...kept };
}

/** "User 1: Hello!", an item of a list of lines. */
function spokenLine(line: string): Message | undefined {
  const [, name, content = ''] = /^\s*([\p{L}_]+(?: ?\d+)?)\s*:\s*([^]*)$/u.exec(line) ?? [];
  const role = speakerOf(name);
  return role === undefined ? undefined : { role, content: content.trim() };
}

const SPOKEN = /^[ \t>*#_-]*(?:\[[^\]\n]{0,25}\]\s*)?([\p{L}_]+(?: ?\d+)?)[*_]*\s*:[*_]*[ \t]*/gmu;

/**
 * Turns of a transcript: lines that begin with who speaks, "User: …" and "Bot: …".
 *
 * @returns undefined where the text does not begin so, or where only one side speaks
 */
export function asTranscript(text: string): Message[] | undefined {
  const starts = [...text.matchAll(SPOKEN)].flatMap((match) => {
    const role = speakerOf(match[1]);
    return role === undefined ? [] : [{ role, from: match.index, at: match.index + match[0].length }];
  });
  if (starts.length === 0 || text.slice(0, starts[0]!.from).trim() !== '') return undefined;
  const turns = starts.map(({ role, at }, i) => ({ role, content: text.slice(at, starts[i + 1]?.from).trim() }));
  const speak = (role: Message['role']): boolean => turns.some((turn) => turn.role === role);
  return speak('user') && speak('assistant') ? turns : undefined;
}

/** The text that a cell holds: a string, parts of content, one turn, or a reply of OpenAI's API; undefined where it holds none. */
export function textIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) {
    // Several texts are parts of one where they say that they are parts; else they are several answers.
    const parts = value.every((part) => isObject(part) && typeof part['type'] === 'string');
    if (value.length === 0 || (value.length > 1 && !parts)) return undefined;
    const texts = value.map(textIn);
    return texts.every((text) => text !== undefined) ? texts.join('') : undefined;
  }
  return isObject(value) ? textOfObject(value) : undefined;
}

function textOfObject(value: Readonly<Record<string, unknown>>): string | undefined {
  const { choices, message } = value;
  if (Array.isArray(choices)) return choices.length === 1 ? textIn(choices[0]) : undefined;
  if (isObject(message)) return textIn(message);
  const key = ['content', 'text', 'value', 'completion', 'output'].find((name) => name in value);
  return key === undefined ? undefined : textIn(value[key]);
}
