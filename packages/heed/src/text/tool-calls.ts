/** How chat templates write calls of functions, and how answers that hold such calls are read. */
import type { Message } from './turn.js';

/** A call as a template writes it: `before`, then an object with the function's name and its arguments, then `after`. */
export interface CallFormat {
  readonly before: string;
  readonly after: string;
  /** The keys of the object: `name` and `arguments`, in Llama 3's `parameters`. */
  readonly name: string;
  readonly arguments: string;
}

/** A function's name and its arguments. */
export interface Call {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** An answer that calls functions: what it says beside the calls, and these. */
export interface Called {
  readonly content: string;
  readonly calls: readonly Call[];
}

const NAME = 'heedfunction', KEY = 'heedkey', VALUE = 'heedvalue';
/** A turn that calls a function, to be rendered by a template. */
export const CALLING: Message = {
  role: 'assistant', content: '',
  tool_calls: [{ id: 'heedcall1', type: 'function', function: { name: NAME, arguments: { [KEY]: VALUE } } }],
};
/** The function that it calls. */
export const CALLED = { type: 'function', function: { name: NAME, description: NAME, parameters: { type: 'object', properties: {} } } };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The format in which a template wrote `CALLING`; undefined where that is no JSON object with a name and arguments.
 *
 * @param turn The text of the turn, without its end.
 */
export function callFormat(turn: string): CallFormat | undefined {
  for (let at = turn.indexOf('{'); at >= 0; at = turn.indexOf('{', at + 1)) {
    const end = objectEnd(turn, at);
    const value = end === undefined ? undefined : parsed(turn.slice(at, end));
    if (value === undefined) continue;
    const name = Object.keys(value).find((key) => value[key] === NAME);
    const args = Object.keys(value).find((key) => isObject(value[key]) && value[key][KEY] === VALUE);
    if (name !== undefined && args !== undefined) return { before: turn.slice(0, at), after: turn.slice(end), name, arguments: args };
  }
  return undefined;
}

/** Where the object that begins at `at` ends: behind the brace that closes it, braces in strings apart. */
function objectEnd(text: string, at: number): number | undefined {
  let depth = 0, quoted = false;
  for (let i = at; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
      continue;
    }
    if (c === '"') quoted = true;
    if (c === '{') depth++;
    if (c === '}' && --depth === 0) return i + 1;
  }
  return undefined;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the calls of an answer. Without calls, and where a call is broken or of a function that there is not, undefined: then the answer is
 * what it says.
 *
 * @param names The functions that there are.
 */
export function readCalls(format: CallFormat, text: string, names: readonly string[]): Called | undefined {
  const open = format.before.trim(), close = format.after.trim();
  const calls: Call[] = [], beside: string[] = [];
  let from = 0;
  for (;;) {
    const at = open === '' ? text.indexOf('{', from) : text.indexOf(open, from);
    if (at < 0) break;
    const begin = text.indexOf('{', at), end = begin < 0 ? undefined : objectEnd(text, begin);
    const call = end === undefined ? undefined : asCall(format, text.slice(begin, end), names);
    if (end === undefined || call === undefined) return undefined;
    calls.push(call);
    beside.push(text.slice(from, at));
    const rest = text.slice(end), closed = close !== '' && rest.trimStart().startsWith(close);
    from = end + (closed ? rest.length - rest.trimStart().length + close.length : 0);
  }
  beside.push(text.slice(from));
  const content = beside.map((part) => part.trim()).filter((part) => part !== '').join('\n');
  // Where nothing opens a call, an object within other words is a part of them.
  if (calls.length === 0 || (open === '' && content !== '')) return undefined;
  return { content, calls };
}

function asCall(format: CallFormat, text: string, names: readonly string[]): Call | undefined {
  const value = parsed(text), name = value?.[format.name], args = value?.[format.arguments] ?? {};
  if (typeof name !== 'string' || !names.includes(name)) return undefined;
  return isObject(args) ? { name, arguments: args } : undefined;
}
