/** Questions and replies as the label store keeps them: a question's key, a reply's columns, and which replies count. */
import { createHash } from 'node:crypto';

import type { InValue, Row } from '@libsql/client';

import type {
  ChoiceQuestion, ChoiceReply, Failure, Question, TextQuestion, TextReply, Usage,
} from '../judge/respondent.js';
import { failed } from '../judge/respondent.js';

export type Reply = ChoiceReply | TextReply | Failure;

/** How a question is answered: by choosing or by writing. */
export type Kind = 'choose' | 'write';

/** Names a question by everything that its reply depends on: the respondent, the prompt, the decoding and the seed. */
export function keyOf(respondent: string, kind: Kind, question: ChoiceQuestion | TextQuestion): string {
  return createHash('sha256').update(JSON.stringify([1, respondent, kind, canonical(question)])).digest('hex');
}

/** A list, so that the order in which the fields of a question were written does not count. */
function canonical(question: ChoiceQuestion | TextQuestion): unknown[] {
  const { messages, begun = '' }: Question = question;
  const prompt = [messages.map(({ role, content }) => [role, content]), begun];
  if ('answers' in question) return [...prompt, question.answers];
  const { maxNewTokens, temperature, topK = null, topP = null, stop = [], seed } = question;
  return [...prompt, maxNewTokens, temperature, topK, topP, stop, seed];
}

/**
 * Failures that would come again, since they lie in the question. The others (a server that was down or slow, a limit) are kept as the
 * reason why there is no reply, and the next run asks the question again.
 */
export const FINAL_FAILURES: readonly Failure['failure'][] = ['refused', 'no-logprobs', 'no-such-answer', 'too-long'];

/** Failures of questions that were never asked. */
const NOT_ASKED: readonly Failure['failure'][] = ['cancelled', 'budget'];

/** Whether a question with this reply is asked again. */
export const retryable = (reply: Reply): boolean => failed(reply) && !FINAL_FAILURES.includes(reply.failure);

/** Whether the question was asked, so that its reply belongs in the store: also one that was cancelled after it had cost something. */
export function wasAsked(reply: Reply): boolean {
  if (!failed(reply) || !NOT_ASKED.includes(reply.failure)) return true;
  return reply.usage !== undefined && reply.usage.promptTokens + reply.usage.completionTokens > 0;
}

/** The columns of a reply, and those of what it took. Of the latter the table keeps the sum over all attempts. */
export const COLUMNS = ['kind', 'text', 'finish', 'logprobs', 'mass', 'source', 'failure', 'detail', 'samples'] as const;
export const USAGE_COLUMNS = ['prompt_tokens', 'completion_tokens', 'milliseconds', 'cost'] as const;

/**
 * A reply by `COLUMNS` and `USAGE_COLUMNS`. Log-probabilities and mass are text: the numbers come back to the last bit whatever the
 * database does with reals, and JSON has no −∞, which is the log of a share of 0.
 */
export function toArguments(reply: Reply): InValue[] {
  const { usage } = reply;
  const used = [usage?.promptTokens ?? null, usage?.completionTokens ?? null, usage?.milliseconds ?? null, usage?.cost ?? null];
  const samples = 'texts' in reply && reply.texts !== undefined ? JSON.stringify(reply.texts) : null;
  if (failed(reply)) {
    const [kind, detail] = written('failure', reply.detail);
    return [kind, null, null, null, null, null, reply.failure, detail, samples, ...used];
  }
  if ('text' in reply) return [...written('text', reply.text), reply.finish, null, null, null, null, null, null, ...used];
  const logprobs = JSON.stringify(reply.logprobs.map((p) => (p === Number.NEGATIVE_INFINITY ? null : p)));
  return ['choice', null, null, logprobs, reply.mass === undefined ? null : String(reply.mass), reply.source, null, null, samples, ...used];
}

const JSON_TEXT = '-json';

/** The kind and the words of a reply. SQLite ends a text at its first NUL, which a model may write: such words are kept as JSON. */
const written = (kind: string, words: string): [string, string] =>
  (words.includes('\0') ? [`${kind}${JSON_TEXT}`, JSON.stringify(words)] : [kind, words]);

/** What `written` was given. */
const wordsIn = (row: Row, column: string): string =>
  (textIn(row, 'kind').endsWith(JSON_TEXT) ? (JSON.parse(textIn(row, column)) as string) : textIn(row, column));

/** A column that the schema says is text. */
export const textIn = (row: Row, column: string): string => row[column] as string;

/** The reply in a row of the table: what `toArguments` was given, with absent fields absent. */
export function fromRecord(row: Row): Reply {
  const given = (name: string): number | undefined => (row[name] === null ? undefined : Number(row[name]));
  const [cost, promptTokens] = [given('cost'), given('prompt_tokens')];
  const usage: Usage = {
    promptTokens: promptTokens ?? 0, completionTokens: given('completion_tokens') ?? 0, milliseconds: given('milliseconds') ?? 0,
    ...(cost === undefined ? {} : { cost }),
  };
  const texts = row['samples'] === null ? {} : { texts: JSON.parse(textIn(row, 'samples')) as string[] };
  if (row['failure'] !== null) {
    const failure = row['failure'] as Failure['failure'];
    return { failure, detail: wordsIn(row, 'detail'), ...texts, ...(promptTokens === undefined ? {} : { usage }) };
  }
  if (row['text'] !== null) return { text: wordsIn(row, 'text'), finish: row['finish'] as TextReply['finish'], usage };
  const logprobs = (JSON.parse(textIn(row, 'logprobs')) as (number | null)[]).map((p) => p ?? Number.NEGATIVE_INFINITY);
  const mass = given('mass');
  return { logprobs, ...(mass === undefined ? {} : { mass }), source: row['source'] as ChoiceReply['source'], ...texts, usage };
}
