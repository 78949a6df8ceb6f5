/** A contender with its answers and what was said of them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@heed/tensor';
import { foreseeWriting } from '../generate/memory.js';
import { openGenerator } from '../generate/open.js';
import type { Completion } from '../generate/request.js';
import { type Failure, failed } from '../judge/respondent.js';
import { fingerprint } from '../model/fingerprint.js';
import type { Adapter } from '../model/peft.js';
import type { Rated, Reward } from '../reward/reward.js';
import { digestOf } from '../run/digest.js';
import type { Hooks, Measured } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { measurementOf, middle } from '../run/report/measurements.js';
import { Interrupted } from '../run/signals.js';
import type { Estimate } from '../run/statistics.js';
import { meanOfFew } from '../run/student.js';
import { keptCompletions, plainMeasures, summarise } from './answers.js';
import type { ComparisonInput, Contender } from './contender.js';
import { withValue } from './measurements.js';
import { intervalsOf, meanStandings, standingsOf } from './standing.js';

/** What one set of weights answered. */
export interface Answered {
  readonly name: string;
  readonly key: string;
  readonly kept: boolean;
  readonly completions: readonly Completion[];
  readonly rated?: readonly (Rated | Failure)[];
  readonly measured: Readonly<Record<string, Measured>>;
  readonly failures: Readonly<Record<string, number>>;
}

/** A contender. Of several runs the completions are those of the first, and the ratings are means. */
export interface Side extends Answered {
  readonly runs?: readonly Answered[];
  /** The measurements over the runs, with intervals by Student's t. */
  readonly overSeeds?: Readonly<Record<string, Estimate>>;
}

interface Tools { readonly engine: Engine; readonly reward: Reward | undefined; readonly hooks: Hooks }

/** Sequences that generation works on together. */
const LIVE = 32;

export async function sideOf({ name, adapter, runs }: Contender, input: ComparisonInput, tools: Tools): Promise<Side> {
  if (runs === undefined) return answered(name, adapter, input, tools);
  const all: Answered[] = [];
  for (const run of runs) all.push({ ...(await answered(`${name} ${run.name}`, run.adapter, input, tools)), name: run.name });
  return joined(name, all);
}

async function answered(
  name: string, adapter: Adapter | undefined, { model, rows, sampling, keptIn }: ComparisonInput, { engine, reward, hooks }: Tools,
): Promise<Answered> {
  const { progress = silentProgress, interrupt } = hooks;
  const prompts = rows.map(({ prompt }) => model.template.prompt(prompt));
  const key = fingerprint(model, adapter);
  const file = keptIn === undefined ? undefined : join(keptIn, `${digestOf([key, prompts, sampling])}.json`);
  const kept = file !== undefined && existsSync(file);
  const onProgress = (done: number): void => {
    if (interrupt?.requested === true) throw new Interrupted(`Stopped while ${name} answered.`);
    progress.update(done);
  };
  const completions = await keptCompletions(file, async () => {
    const setup = { model, plan: adapter?.plan, batch: LIVE, prompts: prompts.map(({ length }) => length) };
    foreseeWriting(engine, [{ ...setup, maxNewTokens: sampling.maxNewTokens }], { maxNewTokens: '--max-tokens ' }, hooks.say);
    const generator = await openGenerator(engine, model, { batch: LIVE, adapter });
    progress.start(`${name} answers`, rows.length, { unit: 'answers' });
    const made = await generator.generate(prompts.map((prompt, row) => ({ prompt, row })), sampling, {
      onProgress: ({ finished }) => onProgress(finished),
    });
    progress.stop();
    await generator.release();
    return made;
  });
  const plain = plainMeasures(completions);
  if (reward === undefined) return { name, key, kept, completions, measured: withValue(plain), failures: {} };
  progress.start(`rating ${name}`, rows.length, { unit: 'answers' });
  const items = rows.map((row, i) => ({ prompt: row.prompt, response: completions[i]!.text, ids: completions[i]!.ids, row }));
  const rated = await reward.rate(items, { signal: interrupt?.signal, onProgress });
  progress.stop();
  const { failures, ...said } = await summarise(reward.name, rated);
  return { name, key, kept, completions, rated, measured: withValue({ ...said, ...plain }), failures };
}

/** Several runs as one: each prompt has the mean of its ratings, and each measurement an interval over the runs, too. */
export function joined(name: string, runs: readonly Answered[]): Side {
  const overSeeds = overRuns(runs.map(({ measured }) => measured));
  const plain = Object.fromEntries(Object.entries(overSeeds).map(([key, { mean }]) => [key, mean]));
  const failures: Record<string, number> = {};
  for (const run of runs) for (const [reason, n] of Object.entries(run.failures)) failures[reason] = (failures[reason] ?? 0) + n;
  const side = {
    name, runs, overSeeds, failures, key: digestOf(runs.map(({ key }) => key)), kept: runs.every(({ kept }) => kept),
    completions: runs[0]!.completions,
  };
  const ratings = runs.flatMap(({ rated }) => (rated === undefined ? [] : [rated]));
  if (ratings.length < runs.length) return { ...side, measured: plain };
  const standings = meanStandings(ratings.map(standingsOf));
  const rated = standings.map((one, i): Rated | Failure =>
    (one === undefined ? ratings.map((all) => all[i]!).find(failed)! : { value: one.value, reason: null }));
  return { ...side, rated, measured: { ...plain, ...intervalsOf(standings) } };
}

/** What all runs measured. */
function overRuns(all: readonly Readonly<Record<string, Measured>>[]): Record<string, Estimate> {
  return Object.fromEntries(Object.keys(all[0]!).flatMap((name) => {
    const values = all.flatMap((measured) => middle(measured[name]) ?? []);
    if (values.length < all.length) return [];
    return [[name, meanOfFew(values, measurementOf(name).share === true ? [0, 1] : undefined)] as const];
  }));
}
