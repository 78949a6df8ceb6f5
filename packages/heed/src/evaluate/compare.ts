/** Answers of several adapters, or of the model alone, to the same prompts, compared prompt by prompt. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@heed/tensor';
import { promptKey } from '../data/hash.js';
import type { PromptRow } from '../data/rows.js';
import { openGenerator } from '../generate/open.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Completion } from '../generate/request.js';
import { describeJudge } from '../judge/open.js';
import { type Failure, failed } from '../judge/respondent.js';
import { openDeviceEngine } from '../model/device.js';
import { fingerprint } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { type RewardInput, describeReward, openReward } from '../reward/open.js';
import type { Rated, Reward } from '../reward/reward.js';
import { digestOf } from '../run/digest.js';
import type { Hooks, Measured } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import { keptCompletions, plainMeasures, summarise } from './answers.js';
import { type Duel, type Outcome, duelOf, outcomesOf } from './duel.js';
import { type Preferred, type Preferring, type PreferringJudge, openPreferring } from './preferred.js';

/** One of those that are compared. */
export interface Contender {
  readonly name: string;
  /** Default: the model alone. */
  readonly adapter?: Adapter;
  /** The prompts that it learnt from, by `promptKey`. Default: nobody knows. */
  readonly trainedOn?: ReadonlySet<string>;
}

/** What a comparison works on. */
export interface ComparisonInput {
  readonly model: Model;
  /** At least two. Each after the first is compared with the first. */
  readonly contenders: readonly Contender[];
  readonly rows: readonly PromptRow[];
  readonly sampling: SamplingOptions;
  /** What rates the answers. Default: nothing; they are laid side by side. */
  readonly reward?: RewardInput;
  /** Who is asked which of two answers is better, in place of a reward. Default: nobody. */
  readonly preferring?: PreferringJudge;
  /** Where the replies of a respondent behind the reward are kept. Default: runs/labels.db. */
  readonly store?: string;
  /**
   * A folder that keeps the answers, each contender's in a file named by what they follow from: weights, template, prompts and sampling.
   * What is there is not answered again. Default: nowhere.
   */
  readonly keptIn?: string;
}

/** An answer, with what was said of it. */
export interface ComparedAnswer {
  readonly text: string;
  readonly tokens: number;
  readonly finish: Completion['finish'];
  /** Absent without a reward. */
  readonly rated?: Rated | Failure;
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
    /** Answers without a rating, by reason. */
    readonly failures: Readonly<Record<string, number>>;
    /** How many of the prompts it learnt from; absent where nobody knows. */
    readonly trainedOn?: number;
  }[];
  /** One for each contender after the first. */
  readonly duels: readonly Duel[];
  /** In the order of the rows. */
  readonly prompts: readonly ComparedPrompt[];
  readonly seconds: number;
}

/** Sequences that generation works on together. */
const LIVE = 32;

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
      contenders: sides.map(({ name, kept, measured, failures, key }, k) => {
        const { trainedOn } = contenders[k]!;
        const known = rows.filter(({ prompt }) => trainedOn?.has(promptKey(prompt)) === true).length;
        return { name, fingerprint: key, kept, measured, failures, ...(trainedOn === undefined ? {} : { trainedOn: known }) };
      }),
      duels: others.map((other, k) => duelOf(first, other, preferred[k])),
      prompts: rows.map((row, i) => ({
        row, outcomes: outcomes.flatMap((all) => all[i] ?? []),
        ...(judge === undefined ? {} : { preferred: preferred.map((all) => all![i]!) }),
        answers: sides.map(({ completions, rated }): ComparedAnswer => {
          const { text, ids, finish } = completions[i]!;
          return { text, tokens: ids.length, finish, ...(rated === undefined ? {} : { rated: rated[i]! }) };
        }),
      })),
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
  } finally {
    progress.stop();
    try {
      await judge?.close();
      await reward?.close();
    } finally {
      await engine.close();
    }
  }
}

const textsOf = ({ completions }: Side): string[] => completions.map(({ text }) => text);

/** A contender with its answers. */
interface Side {
  readonly name: string;
  readonly key: string;
  readonly kept: boolean;
  readonly completions: readonly Completion[];
  readonly rated?: readonly (Rated | Failure)[];
  readonly measured: Readonly<Record<string, Measured>>;
  readonly failures: Readonly<Record<string, number>>;
}

interface Tools { readonly engine: Engine; readonly reward: Reward | undefined; readonly hooks: Hooks }

async function sideOf(
  { name, adapter }: Contender, { model, rows, sampling, keptIn }: ComparisonInput, { engine, reward, hooks }: Tools,
): Promise<Side> {
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
  if (reward === undefined) return { name, key, kept, completions, measured: plain, failures: {} };
  progress.start(`rating ${name}`, rows.length, { unit: 'answers' });
  const items = rows.map((row, i) => ({ prompt: row.prompt, response: completions[i]!.text, ids: completions[i]!.ids, row }));
  const rated = await reward.rate(items, { signal: interrupt?.signal, onProgress });
  progress.stop();
  const { failures, ...said } = await summarise(reward.name, rated);
  const numbers = Object.entries(said).filter((entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined);
  return { name, key, kept, completions, rated, measured: { ...Object.fromEntries(numbers), ...plain }, failures };
}

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
    return answers.some(({ text }) => text !== answers[0]!.text) ? 1 : 2;
  };
  return [...prompts].sort((a, b) => rank(a) - rank(b) || distanceOf(b) - distanceOf(a));
}
