/** Replies as rows of the label store's table, and back. */
import type { InValue, Row } from '@libsql/client';

import { type ChoiceReply, type Failure, failed, type TextReply, type Usage } from '../judge/respondent.js';

export type Answer = ChoiceReply | TextReply | Failure;

/**
 * A reply by `COLUMNS` and `USAGE_COLUMNS`. Log-probabilities and mass are text: the numbers come back to the last bit whatever the database does
 * with reals, and JSON has no −∞, which a log share of 0 is.
 */
export function toArguments(reply: Answer): InValue[] {
  const { usage } = reply;
  const used = [usage?.promptTokens ?? null, usage?.completionTokens ?? null, usage?.milliseconds ?? null, usage?.cost ?? null];
  const samples = 'texts' in reply && reply.texts !== undefined ? JSON.stringify(reply.texts) : null;
  if (failed(reply)) return ['failure', null, null, null, null, null, reply.failure, reply.detail, samples, ...used];
  if ('text' in reply) return ['text', reply.text, reply.finish, null, null, null, null, null, null, ...used];
  const logprobs = JSON.stringify(reply.logprobs.map((p) => (p === Number.NEGATIVE_INFINITY ? null : p)));
  return ['choice', null, null, logprobs, reply.mass === undefined ? null : String(reply.mass), reply.source, null, null, samples, ...used];
}

/** What stands for a reply, and what it took: of these the table keeps the sum over all attempts. */
export const COLUMNS = ['kind', 'text', 'finish', 'logprobs', 'mass', 'source', 'failure', 'detail', 'samples'] as const;
export const USAGE_COLUMNS = ['prompt_tokens', 'completion_tokens', 'milliseconds', 'cost'] as const;

/** A column that the schema says is text. */
export const textIn = (row: Row, column: string): string => row[column] as string;

export function fromRecord(row: Row): Answer {
  const given = (name: string): number | undefined => (row[name] === null ? undefined : Number(row[name]));
  const [cost, promptTokens] = [given('cost'), given('prompt_tokens')];
  const usage: Usage = { promptTokens: promptTokens ?? 0, completionTokens: given('completion_tokens') ?? 0, milliseconds: given('milliseconds') ?? 0, ...(cost === undefined ? {} : { cost }) };
  const texts = row['samples'] === null ? {} : { texts: JSON.parse(textIn(row, 'samples')) as string[] };
  if (row['failure'] !== null) {
    return { failure: row['failure'] as Failure['failure'], detail: textIn(row, 'detail'), ...texts, ...(promptTokens === undefined ? {} : { usage }) };
  }
  if (row['text'] !== null) return { text: textIn(row, 'text'), finish: row['finish'] as TextReply['finish'], usage };
  const logprobs = (JSON.parse(textIn(row, 'logprobs')) as (number | null)[]).map((p) => p ?? Number.NEGATIVE_INFINITY);
  const mass = given('mass');
  return { logprobs, ...(mass === undefined ? {} : { mass }), source: row['source'] as ChoiceReply['source'], ...texts, usage };
}
