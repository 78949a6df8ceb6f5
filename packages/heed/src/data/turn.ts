/** Reads one turn of a conversation from a file: OpenAI's `{ role, content }`, or ShareGPT's `{ from, value }`. */
import type { Message } from '../text/template.js';
import { typeName } from './problem.js';
import { RowFault } from './row-fault.js';
import { parseSpelt } from './spelt.js';

const ROLES: readonly string[] = ['system', 'user', 'assistant', 'tool'];

/** ShareGPT's names of who speaks. */
const SPEAKERS: ReadonlyMap<string, Message['role']> = new Map([
  ['human', 'user'], ['user', 'user'], ['gpt', 'assistant'], ['assistant', 'assistant'], ['chatgpt', 'assistant'], ['bot', 'assistant'],
  ['model', 'assistant'], ['system', 'system'], ['tool', 'tool'], ['observation', 'tool'], ['function_response', 'tool'],
]);

/** OpenAI's roles, new and old. */
const OTHER_ROLES: ReadonlyMap<string, Message['role']> = new Map([['developer', 'system'], ['function', 'tool']]);

/** Keys that say whether a turn is learned: OpenAI's and Mistral's, axolotl's two, ms-swift's two, Tinker's. */
const WEIGHTS = ['weight', 'train', 'training', 'loss', 'loss_scale', 'trainable'] as const;
/** Keys whose text goes to the chat template. */
const TEXTS = ['name', 'tool_call_id', 'reasoning_content', 'thinking'] as const;
/** Keys that change what a turn says and that no template is given. */
const REFUSED: Readonly<Record<string, string>> = {
  function_call: 'write it as tool_calls', refusal: 'write it as content', reasoning: 'write it as reasoning_content',
  reasoning_details: 'write it as reasoning_content',
  audio: 'only text is learned', image: 'only text is learned', images: 'only text is learned', video: 'only text is learned',
  videos: 'only text is learned', audios: 'only text is learned', tools: 'write them in a column tools of the row',
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** Whether a value says nothing, as exports write keys that do not apply. */
export const saysNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
  || (isObject(value) && Object.values(value).every(saysNothing));

/** Whether a value has the form of a turn. */
export const isTurn = (value: unknown): boolean =>
  isObject(value) && (('role' in value && ('content' in value || 'tool_calls' in value)) || ('from' in value && 'value' in value));

/**
 * Reads one turn.
 *
 * @param place Of the turn in its list, from 0.
 * @param pass Told of each key that nothing uses.
 * @throws RowFault where a key has no meaning here and would change what the turn says
 */
export function asTurn(column: string, place: number, value: unknown, pass: (key: string) => void): Message {
  const given = isObject(value) ? value : {};
  const fault = (reason: string): RowFault => new RowFault(column, `turn ${place + 1} ${reason}`, value);
  const shared = !('role' in given) && 'from' in given;
  const role = shared ? speakerOf(given['from'], fault) : roleOf(given['role'], fault);
  const weight = weightOf(given, role, fault);
  const calls = callsOf(given['tool_calls'], fault);
  const texts = TEXTS.flatMap((key): [string, string][] => {
    const text = given[key];
    if (saysNothing(text)) return [];
    if (typeof text !== 'string') throw fault(`has a ${key} that is ${typeName(text)}, not text`);
    // Whether a template may ignore these two is decided where the template is known.
    if (key === 'name' || key === 'tool_call_id') pass(key);
    return [[key, text]];
  });
  const content = contentOf(given[shared ? 'value' : 'content'], calls !== undefined, fault);
  const used: readonly string[] = [...(shared ? ['from', 'value'] : ['role', 'content']), 'tool_calls', ...WEIGHTS, ...TEXTS];
  for (const key of Object.keys(given)) {
    if (used.includes(key) || saysNothing(given[key])) continue;
    if (key === 'channel' && given[key] !== 'final') {
      throw fault(`is of the channel ${JSON.stringify(given[key])}, which people do not read: write it as reasoning_content of the answer`);
    }
    const way = Object.hasOwn(REFUSED, key) ? REFUSED[key] : undefined;
    if (way !== undefined) throw fault(`has ${key}, which would be lost: ${way}, or take it out`);
    pass(key);
  }
  return { role, content, ...Object.fromEntries(texts), ...(calls && { tool_calls: calls }), ...(weight === undefined ? {} : { weight }) };
}

type Fault = (reason: string) => RowFault;

function roleOf(role: unknown, fault: Fault): Message['role'] {
  if (typeof role !== 'string') throw fault('has no role');
  if (!ROLES.includes(role)) {
    const speaker = SPEAKERS.get(role.toLowerCase()) ?? OTHER_ROLES.get(role);
    throw fault(`has the role ${role}; known are ${ROLES.join(', ')}${speaker === undefined ? '' : `; write ${speaker} in its place`}`);
  }
  return role as Message['role'];
}

function speakerOf(from: unknown, fault: Fault): Message['role'] {
  const role = typeof from === 'string' ? SPEAKERS.get(from.toLowerCase()) : undefined;
  if (role === undefined) throw fault(`is from ${JSON.stringify(from)}; known are ${[...SPEAKERS.keys()].join(', ')}`);
  return role;
}

function contentOf(content: unknown, calls: boolean, fault: Fault): string {
  if (typeof content === 'string') return content;
  if (calls && saysNothing(content)) return '';
  if (!Array.isArray(content)) throw fault(`has content that is ${typeName(content)}, not text`);
  return content.map((part: unknown) => {
    if (typeof part === 'string') return part;
    const { type = 'nothing', text } = isObject(part) ? part : {};
    if (typeof text === 'string' && /^(input_|output_)?text$/.test(String(type))) return text;
    throw fault(`has a part of type ${String(type)} in its content; only text is learned`);
  }).join('');
}

/** 0 where the turn says that it is not to be learned; undefined where it says nothing else than it would mean anyway. */
function weightOf(given: Readonly<Record<string, unknown>>, role: Message['role'], fault: Fault): 0 | undefined {
  const said = WEIGHTS.filter((key) => (given[key] ?? null) !== null).map((key) => {
    const weight = given[key];
    if (weight === 0 || weight === false) return { key, learned: false };
    if (weight === 1 || weight === true) return { key, learned: true };
    throw fault(`has ${key} ${JSON.stringify(weight)}: a turn is learned (1) or not (0), nothing between`);
  });
  const [first] = said;
  if (first === undefined) return undefined;
  const other = said.find(({ learned }) => learned !== first.learned);
  if (other !== undefined) throw fault(`has ${first.key} and ${other.key}, which say the opposite`);
  if (role === 'assistant') return first.learned ? undefined : 0;
  if (first.learned) throw fault(`has ${first.key} ${JSON.stringify(given[first.key])}, but only turns of the assistant are learned`);
  return undefined;
}

/** Calls as templates take them: arguments that OpenAI writes as JSON text become an object. */
function callsOf(calls: unknown, fault: Fault): unknown[] | undefined {
  if (saysNothing(calls)) return undefined;
  if (!Array.isArray(calls)) throw fault(`has tool_calls that are ${typeName(calls)}, not a list`);
  return calls.map((call: unknown) => {
    if (!isObject(call)) throw fault(`has a call that is ${typeName(call)}, not an object`);
    const inner = call['function'];
    if (!isObject(inner)) return call;
    const written = inner['arguments'];
    const parsed = typeof written === 'string' ? parseSpelt(written) : undefined;
    return isObject(parsed) ? { ...call, function: { ...inner, arguments: parsed } } : call;
  });
}
