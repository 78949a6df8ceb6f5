/** Functions that an answer may call. */
import { z } from 'zod';

import { UserError } from '../errors.js';
import { schemaRule } from '../generate/grammar/json-schema.js';
import { type Rule, choice, sequence, text } from '../generate/grammar/rule.js';
import type { Message, Template } from '../text/template.js';
import { type CallFormat, readCalls } from '../text/tool-calls.js';
import { badRequest } from './api-error.js';

const Named = z.strictObject({ name: z.string() });
export const Tool = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({
    name: z.string().regex(/^[\w.-]{1,64}$/, { error: 'expected 1 to 64 letters, digits, dots, dashes and underscores' }),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
    strict: z.boolean().nullish(),
  }),
});
export const ToolChoice = z.union(
  [z.enum(['none', 'auto', 'required']), z.strictObject({ type: z.literal('function'), function: Named })],
  { error: 'expected none, auto, required or a function' },
);

interface ToolFields {
  readonly tools?: readonly z.output<typeof Tool>[] | undefined;
  readonly tool_choice?: z.output<typeof ToolChoice> | undefined;
  readonly parallel_tool_calls?: boolean | undefined;
}

/** The functions of a request. */
export interface Tools {
  readonly list: readonly z.output<typeof Tool>[];
  /** The functions of which one must be called; undefined where the answer may be a text. */
  readonly must?: readonly z.output<typeof Tool>[];
  /** Whether an answer calls one function at most. */
  readonly single: boolean;
}

/** What answers with functions are made of for a model. */
export interface Calling {
  readonly format: CallFormat;
  readonly names: readonly string[];
  /** The texts that an answer may be, where it must be a call. */
  readonly grammar?: Rule;
  /** What ends an answer behind its first call, where it may be the only one. */
  readonly stop: readonly string[];
}

/** The functions that an answer may call; undefined where there are none, or `tool_choice` says none. */
export function toolsOf({ tools = [], tool_choice: chosen, parallel_tool_calls: parallel = true }: ToolFields): Tools | undefined {
  if (tools.length === 0) {
    if (chosen === undefined || chosen === 'none' || chosen === 'auto') return undefined;
    throw badRequest('tool_choice asks for a call, and there are no tools.', 'tool_choice');
  }
  const names = tools.map((tool) => tool.function.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badRequest(`tools: two functions are named ${twice}.`, 'tools');
  if (chosen === 'none') return undefined;
  const must = typeof chosen === 'object' ? tools.filter((tool) => tool.function.name === chosen.function.name) : tools;
  if (must.length === 0) throw badRequest('tool_choice names a function that is not among the tools.', 'tool_choice');
  const free = chosen === undefined || chosen === 'auto';
  const strict = free ? tools.findIndex((tool) => tool.function.strict === true) : -1;
  if (strict >= 0) {
    throw badRequest(
      'strict needs tool_choice: required, or a function: an answer that may be a text is not kept to a schema.',
      `tools[${strict}].function.strict`,
    );
  }
  return { list: tools, ...(free ? {} : { must }), single: !parallel };
}

/** Messages with the functions that their conversation may call, as the template takes them: `strict` says nothing to a model. */
export const withTools = (messages: readonly Message[], tools: Tools | undefined): Message[] =>
  messages.map((message, i) => (tools === undefined || i > 0 ? message : {
    ...message, tools: tools.list.map(({ type, function: { strict: _strict, ...said } }) => ({ type, function: said })),
  }));

/** @throws ApiError where the model's template takes no functions, or parameters are not a schema that can be kept to */
export function callingOf({ list, must, single }: Tools, template: Template): Calling {
  const format = template.calls();
  if (format === undefined) {
    throw badRequest('The chat template of this model takes no tools, or writes calls in a form that this server cannot read.', 'tools');
  }
  const grammar = must && choice(...must.map((tool) => callRule(format, tool.function, list.indexOf(tool))));
  const end = format.after.trim();
  return {
    format, names: list.map((tool) => tool.function.name), grammar,
    stop: single && grammar === undefined && end !== '' ? [end] : [],
  };
}

/** A call of a function, as the template writes it. */
function callRule(format: CallFormat, { name, parameters }: z.output<typeof Tool>['function'], at: number): Rule {
  const key = (word: string): string => `${JSON.stringify(word)}: `;
  try {
    return sequence(
      text(`${format.before}{${key(format.name)}${JSON.stringify(name)}, ${key(format.arguments)}`),
      schemaRule({ type: 'object', ...parameters }),
      text(`}${format.after}`),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw badRequest([error.message, ...error.hints].join('. '), `tools[${at}].function.parameters`, 'invalid_value');
  }
}

/** An answer as a message of the assistant. */
export interface AnswerMessage {
  readonly role: 'assistant';
  readonly content: string | null;
  readonly refusal: null;
  readonly tool_calls?: readonly object[];
}

/** The message of an answer: its calls, and what it says beside them. The ids of calls begin with `id`. */
export function answered(
  { format, names }: Calling, said: string, id: string,
): { readonly message: AnswerMessage; readonly calls: boolean } {
  const read = readCalls(format, said, names);
  if (read === undefined) return { message: { role: 'assistant', content: said, refusal: null }, calls: false };
  const calls = read.calls.map((call, i) => (
    { id: `call_${id}_${i}`, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.arguments) } }
  ));
  const content = read.content === '' ? null : read.content;
  return { message: { role: 'assistant', content, refusal: null, tool_calls: calls }, calls: true };
}
