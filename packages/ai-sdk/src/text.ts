/** Prompts and answers of the AI SDK as Heed keeps them: turns of text, with the calls of functions that they make. */
import type {
  LanguageModelV3CallOptions, LanguageModelV3Content, LanguageModelV3FinishReason, LanguageModelV3Message, LanguageModelV3ToolResultOutput,
} from '@ai-sdk/provider';
import type { Message } from '@heed/heed/feedback';

/** Why a prompt or an answer cannot be kept: it is more than text. */
export class NotText extends Error {
  override readonly name = 'NotText';
}

const joined = (texts: readonly string[]): string => texts.join('');

/**
 * The turns of a prompt, the functions that it offers at the first one. What a model thought in earlier turns is left out, as chat
 * templates leave it out.
 *
 * @throws NotText where a turn holds a file, or what a tool of the provider's own brought
 */
export function messagesOf({ prompt, tools = [] }: Pick<LanguageModelV3CallOptions, 'prompt' | 'tools'>): Message[] {
  const functions = tools.flatMap((tool) => {
    if (tool.type !== 'function') return [];
    const { name, description, inputSchema: parameters } = tool;
    return [{ type: 'function', function: { name, ...(description === undefined ? {} : { description }), parameters } }];
  });
  return prompt.flatMap(turnsOf).map((turn, i) => (i > 0 || functions.length === 0 ? turn : { ...turn, tools: functions }));
}

function turnsOf(message: LanguageModelV3Message): Message[] {
  const { role, content } = message;
  if (role === 'system') return [{ role, content }];
  if (role === 'user') return [{ role, content: joined(content.map((part) => (part.type === 'text' ? part.text : notText(part)))) }];
  if (role === 'tool') return content.flatMap((part): Message[] => (part.type !== 'tool-result' ? [] : [{
    role, content: outputOf(part.output), name: part.toolName, tool_call_id: part.toolCallId,
  }]));
  const texts: string[] = [];
  const calls: unknown[] = [];
  for (const part of content) {
    if (part.type === 'text') texts.push(part.text);
    else if (part.type === 'tool-call')
      calls.push({ id: part.toolCallId, type: 'function', function: { name: part.toolName, arguments: part.input } });
    else if (part.type !== 'reasoning') notText(part);
  }
  return [{ role, content: joined(texts), ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
}

/** What a tool brought, as providers write it into the prompt. */
function outputOf(output: LanguageModelV3ToolResultOutput): string {
  switch (output.type) {
    case 'text':
    case 'error-text': return output.value;
    case 'json':
    case 'error-json': return JSON.stringify(output.value);
    case 'execution-denied': return output.reason ?? 'Tool execution denied.';
    case 'content': return joined(output.value.map((part) => (part.type === 'text' ? part.text : notText(part))));
  }
}

function notText(part: { readonly type: string; readonly mediaType?: string; readonly toolName?: string }): never {
  if (part.toolName !== undefined) throw new NotText(`it holds what ${part.toolName}, a tool of the provider's own, brought`);
  throw new NotText(`it holds more than text: ${part.mediaType ?? part.type}`);
}

/** An answer, put together part by part. */
export interface AnswerText {
  add(part: LanguageModelV3Content): void;
  addText(text: string): void;
  /** @throws NotText where the answer is more than text, thoughts, sources and calls */
  completion(): string;
  /** Why the answer ended, in OpenAI's words. */
  finish(reason: LanguageModelV3FinishReason): string;
}

const FINISH: Readonly<Record<string, string>> = { 'tool-calls': 'tool_calls', 'content-filter': 'content_filter' };

export function createAnswerText(): AnswerText {
  const texts: string[] = [];
  let calls = false;
  let other: LanguageModelV3Content | undefined;
  return {
    add(part) {
      if (part.type === 'text') texts.push(part.text);
      else if (part.type === 'tool-call') calls = true;
      else if (part.type === 'file') other ??= part;
    },
    addText: (text) => { texts.push(text); },
    completion: () => (other === undefined ? joined(texts) : notText(other)),
    // A provider that runs a tool itself ends with `stop`.
    finish: ({ unified }) => (calls ? 'tool_calls' : (FINISH[unified] ?? unified)),
  };
}
