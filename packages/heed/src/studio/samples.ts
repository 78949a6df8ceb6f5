/** Answers, marked tokens and rollouts of a run, as the page shows them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { change, pairsOf, standing, wordOf } from '../run/report/answers.js';
import { type AnswerSample, type Samples, readSamples } from '../run/report/data.js';
import type { AnswerPair, AnswerPart, Answered, Heatmap, Part, RolloutShown, SampleCounts } from './api.js';

/** What was read of run folders, by folder, with the marks of the files that it was read from. */
export type SampleCache = Map<string, { readonly key: string; readonly samples: Promise<Samples> }>;

/** Runs whose samples are kept in memory. */
const MOST = 8;

/** The samples of a run as they are now. @throws UserError where a line is not JSON */
export async function samplesOf(cache: SampleCache, dir: string): Promise<Samples> {
  const marks = await Promise.all(['samples.jsonl', 'rollouts.jsonl'].map(async (name) => {
    const info = await stat(join(dir, name)).catch(() => undefined);
    return info === undefined ? '' : `${info.mtimeMs}/${info.size}`;
  }));
  const key = marks.join(' ');
  const kept = cache.get(dir);
  if (kept?.key === key) return kept.samples;
  const samples = readSamples(dir);
  cache.delete(dir);
  cache.set(dir, { key, samples });
  if (cache.size > MOST) cache.delete(cache.keys().next().value!);
  return samples;
}

export const countsOf = ({ answers, heatmaps, rollouts }: Samples): SampleCounts =>
  ({ answers: pairsOf(answers).length, heatmaps: heatmaps.length, rollouts: rollouts.length });

/** An answer with its verdict in words. */
export function answeredOf({ response, verdict, reason }: AnswerSample): Answered {
  const words = wordOf(verdict);
  return { text: response, standing: standing(verdict), ...(words && { verdict: words }), ...(reason && { reason }) };
}

/** What became of an answer, in the order of what a reader looks for. */
export const CHANGES = ['worse', 'better', 'open', 'same'] as const;

/** The answers of a run, those that got worse first, then those that got better. */
export function answerPairs({ answers }: Samples): AnswerPair[] {
  const pairs = pairsOf(answers).map((pair) => ({
    id: pair.id, prompt: pair.prompt, change: change(pair), ...(pair.before && { before: answeredOf(pair.before) }),
    ...(pair.after && { after: answeredOf(pair.after) }),
  }));
  return pairs.sort((a, b) => CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change));
}

/** A page of the answers, of those with one change or of all. */
export function answerPart(
  samples: Samples, change: AnswerPair['change'] | undefined, page: { offset: number; limit: number },
): AnswerPart {
  const all = answerPairs(samples);
  const counts = Object.fromEntries(CHANGES.map((one) => [one, all.filter((pair) => pair.change === one).length]));
  return {
    ...partOf(change === undefined ? all : all.filter((pair) => pair.change === change), page),
    counts: counts as AnswerPart['counts'],
  };
}

/** The marked tokens, the newest first. */
export const heatmapsOf = ({ heatmaps }: Samples): Heatmap[] => heatmaps
  .map(({ id, step, prompt, judgment, tokens, logRatio, flagged }) => ({
    id, prompt, tokens, logRatio, flagged, ...(typeof step === 'number' && { step }), ...(judgment && { judgment }),
  }))
  .reverse();

/** The answers that were learnt from: the newest round first, and in it the best answer first. */
export const rolloutsOf = ({ rollouts }: Samples): RolloutShown[] => rollouts
  .map(({ round, row, prompt, completion, reward, advantage, reason, rewards }) =>
    ({ round, row, prompt, completion, reward, advantage, ...(reason && { reason }), ...(rewards && { rewards }) }))
  .sort((a, b) => b.round - a.round || (b.reward ?? -Infinity) - (a.reward ?? -Infinity));

/** A page of a list. */
export const partOf = <T>(all: readonly T[], { offset, limit }: { offset: number; limit: number }): Part<T> =>
  ({ total: all.length, items: all.slice(offset, offset + limit) });
