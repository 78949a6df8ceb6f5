/** The controller against fixed actions, on prompts that neither was chosen on. */
import type { Measured } from '../../run/job.js';
import { createRandom } from '../../run/random.js';
import { type Estimate, bootstrapInterval, medianOf, pairedDifference } from '../../run/statistics.js';
import { words } from '../../text/words.js';
import { type AskTools, type RatedText, type Wanted, ask } from './answer-and-rate.js';
import type { TaskPrompt } from './tasks.js';

/** An action for each held-out prompt, and how it changes in mid-answer, where it does. */
export type Policy = readonly Pick<Wanted, 'action' | 'steer'>[];

/** Answers of one policy, `[prompt][sample]`. */
export type PolicyAnswers = readonly (readonly RatedText[])[];

/**
 * Has the held-out prompts answered by several policies. Where policies take the same action for a prompt, it is answered once for all:
 * then the comparison is of the actions alone. The random numbers of an answer are the same whatever the action.
 */
export async function answerHeldOut(
  tools: AskTools, prompts: readonly TaskPrompt[], policies: Readonly<Record<string, Policy>>,
): Promise<Record<string, PolicyAnswers>> {
  const { recipe: { actions, evaluate: { samples }, learn } } = tools;
  const place = new Map<string, number>();
  const wanted: Wanted[] = [];
  const keyOf = (x: number, { action, steer }: Policy[number]): string => `${action} ${x} ${steer === undefined ? '' : 'steered'}`;
  const all = Object.values(policies);
  for (const name of Object.keys(actions)) {
    for (const [x, prompt] of prompts.entries()) {
      for (const one of all.map((policy) => policy[x]!).filter(({ action }) => action === name)) {
        if (place.has(keyOf(x, one))) continue;
        place.set(keyOf(x, one), wanted.length);
        for (let s = 0; s < samples; s++) wanted.push({ prompt, ...one, row: x * samples + s });
      }
    }
  }
  const seed = createRandom('held out', learn.seed).int(2 ** 31);
  const told = await ask(tools, 'held-out', seed, wanted, 'answering held-out prompts');
  const answersOf = (policy: Policy): PolicyAnswers => policy.map((one, x) => {
    const at = place.get(keyOf(x, one))!;
    return told.slice(at, at + samples);
  });
  return Object.fromEntries(Object.entries(policies).map(([name, policy]) => [name, answersOf(policy)]));
}

/** The mean of a prompt's answers that have the number; undefined where none has. */
function meansOf(answers: PolicyAnswers, numberOf: (answer: RatedText) => number | undefined): (number | undefined)[] {
  return answers.map((own) => {
    const values = own.flatMap((answer) => numberOf(answer) ?? []);
    return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
  });
}

const NUMBERS: Readonly<Record<string, (answer: RatedText) => number | undefined>> = {
  value: ({ value }) => value,
  satisfied: ({ satisfied }) => (satisfied === undefined ? undefined : Number(satisfied)),
};

/** Measurements of a policy, for `summary.json`: a prompt counts once, with the mean over its answers. */
export function measure(answers: PolicyAnswers, seed: number): Record<string, Measured> {
  const all = answers.flat();
  const estimates = Object.entries(NUMBERS).flatMap(([name, numberOf]): [string, Estimate][] => {
    const means = meansOf(answers, numberOf).filter((x): x is number => x !== undefined);
    return means.length === 0 ? [] : [[name, bootstrapInterval(means, { seed })]];
  });
  return {
    ...Object.fromEntries(estimates),
    medianWords: medianOf(all.map(({ text }) => words(text).length)),
    unfinished: all.filter(({ finish }) => finish === 'length').length / all.length,
  };
}

/** What changed prompt by prompt from one policy to another. */
export function change(before: PolicyAnswers, after: PolicyAnswers, seed: number): Record<string, Estimate> {
  return Object.fromEntries(Object.entries(NUMBERS).flatMap(([name, numberOf]): [string, Estimate][] => {
    const [from, to] = [meansOf(before, numberOf), meansOf(after, numberOf)];
    const both = from.flatMap((x, i) => (x === undefined || to[i] === undefined ? [] : [[x, to[i]] as const]));
    return both.length === 0 ? [] : [[name, pairedDifference(both.map(([x]) => x), both.map(([, x]) => x), { seed })]];
  }));
}
