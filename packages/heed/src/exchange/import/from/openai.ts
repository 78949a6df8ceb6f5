/** OpenAI's fine-tuning files, which Azure takes too: chats, preferences, and prompts to be graded. */
import { z } from 'zod';
import { isObject, saysNothing } from '../../../data/turn.js';
import { asResponse } from '../../../data/turns.js';
import type { RawRow } from '../../../data/source.js';
import { anything, type Findings, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';
import type { ImportFormat } from '../format.js';

const Tools = { tools: z.array(anything).nullish(), parallel_tool_calls: anything.optional() };
const Chat = z.looseObject({ messages: z.array(anything).min(1), ...Tools });
const Preference = z.object({
  input: z.object({ messages: z.array(anything).min(1), ...Tools }),
  preferred_output: z.array(anything).length(1, { error: 'one assistant turn is needed' }),
  non_preferred_output: z.array(anything).length(1, { error: 'one assistant turn is needed' }),
});

export const openai: ImportFormat = {
  name: 'openai',
  about: 'OpenAI fine-tuning files: chat, preference and reinforcement JSONL',
  recognises: (fields) => isObject(fields['input']) && 'preferred_output' in fields,
  read(records, findings) {
    for (const record of records) orRefuse(findings, record.source, () => readRecord(record, findings));
  },
};

function readRecord(record: RawRow, findings: Findings): void {
  requireCharacters(record);
  const { source, fields } = record;
  const add = (kind: 'preference' | 'conversation' | 'prompt', row: object): void => {
    findings.rows.push({ kind, source, row: row as Record<string, unknown> });
  };
  if ('preferred_completion' in fields) throw new Refusal('has preferred_completion: an early form; call it preferred_output');
  if ('preferred_output' in fields || 'input' in fields) return add('preference', preferenceOf(fields, findings));
  if ('prompt' in fields && 'completion' in fields) {
    throw new Refusal('has prompt and completion, OpenAI\'s form before chats: heed train reads such a file as it is');
  }
  const { messages, tools, parallel_tool_calls: parallel, ...others } = readAs(Chat, fields, findings);
  if (!saysNothing(parallel)) findings.unused.add('parallel_tool_calls');
  const turns = turnsOf('messages', messages, findings);
  const callable = toolsOf(tools);
  if (turns.at(-1)!.role === 'assistant') {
    for (const key of Object.keys(others)) findings.unused.add(key);
    return add('conversation', { messages: turns, ...callable });
  }
  // Graders read the other fields of such a record, as {{ item.field }}.
  add('prompt', { ...others, prompt: turns, ...callable });
}

function preferenceOf(fields: RawRow['fields'], findings: Findings): object {
  const { input, preferred_output: preferred, non_preferred_output: other } = readAs(Preference, fields, findings);
  const pass = (key: string): void => void findings.unused.add(`…output[].${key}`);
  return {
    prompt: turnsOf('input.messages', input.messages, findings), ...toolsOf(input.tools),
    chosen: asResponse('preferred_output', preferred, pass),
    rejected: asResponse('non_preferred_output', other, pass),
  };
}

const toolsOf = (tools: unknown[] | null | undefined): { tools?: unknown[] } => (saysNothing(tools) ? {} : { tools: tools! });
