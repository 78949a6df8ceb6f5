/** Responses to prompts that have none, sampled from the respondent that `answers` names. */
import { failed, type Respondent } from '../judge/respondent.js';
import { askForTexts } from '../judge/ask-for-texts.js';
import { whyUnusable } from '../text/usable.js';
import { failureOf, type LabelFailure } from './labelled.js';
import type { Pair, Prompt, Single } from './material.js';
import type { AnswersOptions } from './recipe.js';

interface Answered<T> { readonly rows: readonly T[]; readonly failures: readonly LabelFailure[] }
type Sampling = Omit<AnswersOptions, 'by'>;

/** `count` responses to each prompt, by the seeds `seed`, `seed + 1`, …; a prompt with a response that cannot be used fails. */
async function answer(
  prompts: readonly Prompt[], writer: Respondent, count: number, { maxNewTokens, temperature, topK, topP, seed }: Sampling,
): Promise<Answered<{ prompt: Prompt; texts: readonly string[] }>> {
  const replies = await askForTexts(writer, prompts.flatMap(({ prompt }) => Array.from({ length: count }, (_, k) => (
    { messages: prompt, maxNewTokens, temperature, topK, topP, seed: seed + k }
  ))));
  const failures: LabelFailure[] = [];
  const rows = prompts.flatMap((prompt, i) => {
    const own = replies.slice(i * count, (i + 1) * count);
    const broken = failureOf(prompt, own);
    if (broken !== undefined) {
      failures.push({ ...broken, detail: `no response to label: ${broken.detail}` });
      return [];
    }
    const made = own.flatMap((reply) => (failed(reply) ? [] : reply));
    // The second response is held against the first: equal ones leave nothing to compare.
    const unusable = made.map((one, k) => whyUnusable(one, k === 0 ? '' : made[0]!.text)).find((reason) => reason !== undefined);
    if (unusable !== undefined) {
      const cutOff = `a response has more than ${maxNewTokens} tokens`;
      const details = { empty: 'a response is empty', same: 'both responses are the same', 'cut-off': cutOff };
      failures.push({ source: prompt.source, id: prompt.id, failure: unusable, detail: details[unusable] });
      return [];
    }
    return [{ prompt, texts: made.map(({ text }) => text.trim()) }];
  });
  return { rows, failures };
}

/** Two responses to each prompt. */
export async function answerPairs(prompts: readonly Prompt[], writer: Respondent, options: Sampling): Promise<Answered<Pair>> {
  const { rows, failures } = await answer(prompts, writer, 2, options);
  return { failures, rows: rows.map(({ prompt, texts: [a, b] }) => ({ ...prompt, responses: [a!, b!] as const })) };
}

/** One response to each prompt. */
export async function answerSingles(prompts: readonly Prompt[], writer: Respondent, options: Sampling): Promise<Answered<Single>> {
  const { rows, failures } = await answer(prompts, writer, 1, options);
  return { failures, rows: rows.map(({ prompt, texts: [text] }) => ({ ...prompt, completion: text! })) };
}
