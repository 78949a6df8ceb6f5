/** Responses to prompts that have none, sampled from whoever is to be labelled. */
import { failed, type Respondent } from '../judge/respondent.js';
import { whyUnusable } from '../text/usable.js';
import { failureOf, type LabelFailure } from './labelled.js';
import type { Pair, Question, Single } from './material.js';
import type { AnswersOptions } from './recipe.js';

export interface Answered<T> { readonly rows: readonly T[]; readonly failures: readonly LabelFailure[] }

/** `count` responses to each prompt, by the seeds `seed`, `seed + 1`, …; a prompt with a response that cannot be used fails. */
async function answer(questions: readonly Question[], writer: Respondent, count: number, options: Omit<AnswersOptions, 'by'>): Promise<Answered<{ question: Question; texts: readonly string[] }>> {
  const { maxNewTokens, temperature, topK, topP, seed } = options;
  const replies = await writer.write(questions.flatMap(({ prompt }) => Array.from({ length: count }, (_, k) => ({
    messages: prompt, maxNewTokens, temperature, ...(topK === undefined ? {} : { topK }), ...(topP === undefined ? {} : { topP }), seed: seed + k,
  }))));
  const failures: LabelFailure[] = [];
  const rows = questions.flatMap((question, i) => {
    const own = replies.slice(i * count, (i + 1) * count);
    const broken = failureOf(question, own);
    if (broken !== undefined) {
      failures.push({ ...broken, detail: `no response to label: ${broken.detail}` });
      return [];
    }
    const made = own.flatMap((reply) => (failed(reply) ? [] : reply));
    // The second response is held against the first: equal ones leave nothing to compare.
    const unusable = made.map((one, k) => whyUnusable(one, k === 0 ? '' : made[0]!.text)).find((reason) => reason !== undefined);
    if (unusable !== undefined) {
      const detail = { empty: 'a response is empty', same: 'both responses are the same', 'cut-off': `a response has more than ${maxNewTokens} tokens` }[unusable];
      failures.push({ source: question.source, id: question.id, failure: unusable, detail });
      return [];
    }
    return [{ question, texts: made.map(({ text }) => text.trim()) }];
  });
  return { rows, failures };
}

/** Two responses to each prompt. */
export async function answerPairs(questions: readonly Question[], writer: Respondent, options: Omit<AnswersOptions, 'by'>): Promise<Answered<Pair>> {
  const { rows, failures } = await answer(questions, writer, 2, options);
  return { failures, rows: rows.map(({ question, texts: [a, b] }) => ({ ...question, responses: [a!, b!] as const })) };
}

/** One response to each prompt. */
export async function answerSingles(questions: readonly Question[], writer: Respondent, options: Omit<AnswersOptions, 'by'>): Promise<Answered<Single>> {
  const { rows, failures } = await answer(questions, writer, 1, options);
  return { failures, rows: rows.map(({ question, texts: [text] }) => ({ ...question, completion: text! })) };
}
