/** Messages of a chat as requests write them. */
import { z } from 'zod';

import type { Message } from '../text/template.js';
import { withoutNulls } from './fields.js';

const Text = z.union([z.string(), z.array(z.strictObject({ type: z.literal('text'), text: z.string() }))], {
  error: 'expected a text, or a list of parts of type text',
});
/**
 * What servers write beside the text of a message. Clients send an answer back as it came, so each of these fields is taken where it is
 * empty (null, an empty list or an empty text). A field that says something is refused: the model would not be told of it.
 */
const unsupported = z.never({ error: 'is not supported by this server; leave it out' }).optional();
const BESIDE_TEXT = {
  refusal: unsupported, annotations: unsupported, audio: unsupported, function_call: unsupported, reasoning: unsupported,
  reasoning_content: unsupported,
};
const EMPTY = new Set([...Object.keys(BESIDE_TEXT), 'tool_calls', 'tool_call_id', 'name']);

const Arguments = z.string().transform((text, context) => {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // said below
  }
  context.addIssue({ code: 'custom', message: 'expected the text of a JSON object' });
  return z.NEVER;
});
/** A call as this server and others write it; templates take its arguments as an object. */
const ToolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function').default('function'),
  // Where the pieces of a stream were put together.
  index: z.int().optional(),
  function: z.strictObject({
    name: z.string(), arguments: Arguments,
    // What a client read of the arguments for itself.
    parsed_arguments: z.unknown().optional(),
  }),
}).transform(({ id, type, function: { name, arguments: args } }) => ({ id, type, function: { name, arguments: args } }));

const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0);

/** A message without the fields that say nothing. One that calls functions may have no text. */
function said(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return message;
  const kept = Object.fromEntries(Object.entries(withoutNulls(message)).filter(([key, value]) => !(EMPTY.has(key) && isEmpty(value))));
  return 'tool_calls' in kept && !('content' in kept) ? { ...kept, content: '' } : kept;
}

export const ChatMessage = z.preprocess(said, z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: Text,
  name: z.string().optional(),
  tool_calls: z.array(ToolCall).optional(),
  tool_call_id: z.string().optional(),
  // What a client read of `content` for itself.
  parsed: z.unknown().optional(),
  ...BESIDE_TEXT,
}));

/** A message as the template takes it. */
export const messageOf = ({ role, content, name, tool_calls: calls, tool_call_id: id }: z.output<typeof ChatMessage>): Message => ({
  role: role === 'developer' ? 'system' : role,
  content: typeof content === 'string' ? content : content.map(({ text }) => text).join(''),
  ...(name === undefined ? {} : { name }),
  ...(calls === undefined ? {} : { tool_calls: calls }),
  ...(id === undefined ? {} : { tool_call_id: id }),
});
