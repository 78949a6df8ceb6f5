/** Answers of several adapters, or of the model alone, to the same prompts, compared prompt by prompt. */
import { promptKey } from '../data/hash.js';
import type { PromptRow } from '../data/rows.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Completion } from '../generate/request.js';
import { describeJudge } from '../judge/open.js';
import { type Failure, failed } from '../judge/respondent.js';
import { openDeviceEngine } from '../model/device.js';
import { describeReward, openReward } from '../reward/open.js';
import type { Rated, Reward } from '../reward/reward.js';
import { closeAll } from '../run/close-all.js';
import type { Hooks, Measured } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import type { Estimate } from '../run/statistics.js';
import type { ComparisonInput } from './contender.js';
import { signsIn } from './degenerate.js';
import { type Duel, type Outcome, duelOf, outcomesOf } from './duel.js';
import { type Preferred, type Preferring, openPreferring } from './preferred.js';
import { type Answered, type Side, sideOf } from './side.js';

/** An answer, with what was said of it. Of several runs the first one's, with the mean of the values. */
export interface ComparedAnswer {
  readonly text: string;
  readonly tokens: number;
  readonly finish: Completion['finish'];
  /** Absent without a reward. */
  readonly rated?: Rated | Failure;
  /** What each run answered, where the contender has several. */
  readonly runs?: readonly ComparedAnswer[];
}

/** A prompt with each contender's answer, in their order. */
export interface ComparedPrompt {
  readonly row: PromptRow;
  readonly answers: readonly ComparedAnswer[];
  /** How each contender after the first fared against the first; empty where nothing rates the answers. */
  readonly outcomes: readonly Outcome[];
  /** What a judge said of each contender after the first, beside the first; absent where none was asked. */
  readonly preferred?: readonly Preferred[];
}

/** What a comparison found out. */
export interface Comparison {
  readonly job: 'compare';
  readonly model: string;
  /** The reward, for people. */
  readonly reward?: string;
  /** The judge that compared the answers, for people. */
  readonly judge?: string;
  readonly rows: number;
  readonly sampling: SamplingOptions;
  readonly contenders: readonly {
    readonly name: string;
    /** Names the weights by content. */
    readonly fingerprint: string;
    /** Whether its answers were kept from before. */
    readonly kept: boolean;
    readonly measured: Readonly<Record<string, Measured>>;
    /** Where it has several runs: each of them, and the measurements over them with 95 % intervals by Student's t. */
    readonly runs?: readonly { readonly name: string; readonly measured: Readonly<Record<string, Measured>> }[];
    readonly overSeeds?: Readonly<Record<string, Estimate>>;
    /** Answers without a rating, by reason. */
    readonly failures: Readonly<Record<string, number>>;
    /** Signs that it has collapsed (`signsIn`), in words; of several runs in all their answers. */
    readonly signs: readonly string[];
    /** How many of the prompts it learnt from; absent where that is unknown. */
    readonly trainedOn?: number;
  }[];
  /** One for each contender after the first. */
  readonly duels: readonly Duel[];
  /** In the order of the rows. */
  readonly prompts: readonly ComparedPrompt[];
  readonly seconds: number;
}

/**
 * Has the same prompts answered by each contender, with the same seed, has the answers rated where there is a reward, and compares them
 * with the first contender's, prompt by prompt. Starts an engine, and closes it.
 *
 * @throws UserError where the reward cannot be opened, or none of a contender's answers got a rating
 * @throws Interrupted where `interrupt` asked for it; answers of contenders that were done are kept
 */
export async function runComparison(input: ComparisonInput, hooks: Hooks = {}): Promise<Comparison> {
  const { model, contenders, rows, sampling, reward: spec, preferring, store } = input;
  const { progress = silentProgress, interrupt, say } = hooks;
  const started = performance.now();
  if (contenders.length < 2) throw new RangeError(`runComparison: ${contenders.length} contenders; it takes two to compare`);
  if (spec !== undefined && preferring !== undefined) throw new RangeError('runComparison: give a reward or a judge of pairs, not both');
  if (preferring !== undefined && contenders.some(({ runs }) => runs !== undefined))
    throw new RangeError('runComparison: a judge of pairs compares single runs');
  const engine = await openDeviceEngine({ say });
  let reward: Reward | undefined;
  let judge: Preferring | undefined;
  try {
    reward = spec === undefined ? undefined : await openReward(spec, { engine, log: say, store, interrupt });
    judge = preferring === undefined ? undefined : await openPreferring(preferring, { engine, log: say });
    const sides: Side[] = [];
    for (const contender of contenders) sides.push(await sideOf(contender, input, { engine, reward, hooks }));
    const [first, ...others] = sides as [Side, ...Side[]];
    const preferred: (Preferred[] | undefined)[] = [];
    for (const other of others) preferred.push(await judge?.of(rows, textsOf(first), textsOf(other)));
    const outcomes = others.map((other, k): readonly Outcome[] => {
      const said = preferred[k];
      if (said !== undefined) return said.map(({ outcome }) => outcome);
      return reward === undefined ? [] : outcomesOf(first.rated!, other.rated!);
    });
    return {
      job: 'compare', model: model.checkpoint.id,
      ...(spec === undefined ? {} : { reward: describeReward(spec) }),
      ...(preferring === undefined ? {} : { judge: describeJudge(preferring.judge) }),
      rows: rows.length, sampling,
      contenders: sides.map(({ name, kept, measured, failures, key, runs, overSeeds, completions }, k) => {
        const { trainedOn } = contenders[k]!;
        const known = rows.filter(({ prompt }) => trainedOn?.has(promptKey(prompt)) === true).length;
        const signs = signsIn(runs?.flatMap((run) => run.completions) ?? completions);
        return {
          name, fingerprint: key, kept, measured, failures, signs, ...(trainedOn === undefined ? {} : { trainedOn: known }),
          ...(runs === undefined ? {} : { overSeeds, runs: runs.map((run) => ({ name: run.name, measured: run.measured })) }),
        };
      }),
      duels: others.map((other, k) => duelOf(first, other, preferred[k])),
      prompts: rows.map((row, i) => ({
        row, outcomes: outcomes.flatMap((all) => all[i] ?? []),
        ...(judge === undefined ? {} : { preferred: preferred.map((all) => all![i]!) }),
        answers: sides.map((side) => ({
          ...answerOf(side, i), ...(side.runs === undefined ? {} : { runs: side.runs.map((run) => answerOf(run, i)) }),
        })),
      })),
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
  } finally {
    progress.stop();
    await closeAll(() => judge?.close(), () => reward?.close(), () => engine.close());
  }
}

function answerOf({ completions, rated }: Answered, i: number): ComparedAnswer {
  const { text, ids, finish } = completions[i]!;
  return { text, tokens: ids.length, finish, ...(rated === undefined ? {} : { rated: rated[i]! }) };
}

const textsOf = ({ completions }: Side): string[] => completions.map(({ text }) => text);

/** How far apart the answers to a prompt are rated, at most; or how sure the judge was. */
const distanceOf = ({ answers: [first, ...others], preferred }: ComparedPrompt): number => {
  if (preferred !== undefined) return Math.max(0, ...preferred.map(({ probability = 0.5 }) => Math.abs(probability - 0.5)));
  const valueOf = ({ rated }: ComparedAnswer): number => (rated === undefined || failed(rated) ? Number.NaN : rated.value);
  return Math.max(0, ...others.map((other) => Math.abs(valueOf(other) - valueOf(first!))).filter((x) => !Number.isNaN(x)));
};

/** The prompts that tell most first: wins and losses by how far apart they are, then different answers, then equal ones. */
export function tellingFirst(prompts: readonly ComparedPrompt[]): ComparedPrompt[] {
  const rank = ({ answers, outcomes }: ComparedPrompt): number => {
    if (outcomes.some((one) => one === 'win' || one === 'loss')) return 0;
    return answers.flatMap((one) => one.runs ?? one).some(({ text }) => text !== answers[0]!.text) ? 1 : 2;
  };
  return [...prompts].sort((a, b) => rank(a) - rank(b) || distanceOf(b) - distanceOf(a));
}
