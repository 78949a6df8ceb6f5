import type { Engine } from '@heed/tensor';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { at } from '../data/source.js';
import { UserError } from '../errors.js';
import type { Model } from '../model/load.js';
import type { RewardItem } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { readKept } from '../run/json-file.js';
import { finePercent } from '../run/numbers.js';
import { type CriticPair, type CriticRound, chanceOf, openCritic } from './critic.js';
import type { Demonstration } from './demonstrations.js';
import type { Alarm } from './alarms.js';

/** `adversary:` of a recipe: a critic that learns to tell demonstrations from the policy's answers, and rates the answers. */
export const AdversaryOptions = z.strictObject({
  /** Rank of the critic's adapter; its alpha is twice that. */
  rank: z.int().min(1).default(8),
  /** Optimizer steps of the critic in a round: together they take each pair of the round once. */
  steps: z.int().min(1).default(2),
  /** Its steps in the first round. */
  first: z.int().min(1).default(8),
  learningRate: z.number().positive().default(1e-4),
  /**
   * A critic that is right about more of a round's fresh pairs than so, and as sure of it, takes no step: one that is always right and sure
   * pays the same for all answers.
   */
  above: z.number().min(0.5).max(1).default(0.85),
  /** Label smoothing: the critic is taught that the demonstration is the better one with probability 1 − smoothing. */
  smoothing: z.number().min(0).lt(0.5).default(0.1),
  /** Weight of the critic's rating beside that of `reward` or `rewards`. */
  weight: z.number().positive().default(1),
  /** A second critic learns beside it, from the other half of the demonstrations, and rates nothing: `critic/held_accuracy`. */
  held: z.boolean().default(false),
});
export type AdversaryOptions = z.infer<typeof AdversaryOptions>;

/** What the critic says of a round's answers. */
export interface CriticRating {
  /** P(the answer is the demonstration of its pair), for each answer, by the critic that has learnt from the round. */
  readonly chances: readonly number[];
  /** `critic/accuracy`, `critic/confidence`, `critic/loss`, `critic/steps`, and with a second critic `critic/held_accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Where the critic has now won or lost three rounds in a row. */
  readonly alarm?: Alarm | undefined;
}

/** The opponent of the policy. */
export interface Adversary {
  /** Weight of the critic's rating in the sum with another reward. */
  readonly weight: number;
  /** The critic learns from the round's pairs, and rates the answers: `work/round-<k>/critic.json`, where a resume finds both. */
  rate(k: number, items: readonly RewardItem[]): Promise<CriticRating>;
  /** Rounds in which the critic had won or lost three in a row. */
  alarms(): readonly Alarm[];
  /** Writes the critic as an adapter, and frees its memory. */
  finish(folder: string): Promise<void>;
}

export interface AdversarySetup {
  readonly options: AdversaryOptions;
  readonly demonstrations: readonly Demonstration[];
  readonly engine: Engine;
  readonly model: Model;
  /** Tokens of a response that the critic sees: an answer has no more, so the length does not give a demonstration away. */
  readonly maxNewTokens: number;
  readonly seed: number;
  readonly run: Pick<RunFolder, 'path'>;
  readonly hooks: Hooks;
}

/** A round as it is kept. */
interface Kept extends CriticRound {
  readonly held?: CriticRound;
  readonly chances: readonly number[];
}

/** So many rounds in a row are said. */
const STREAK = 3;
/** The critic has won a round where it is right more often than this, and as sure of it; it has lost a round where it is as wrong. */
const WON = 0.85;

/** Opens the critic of a run, and the one held out. Where their states are on disk they go on from there. */
export async function openAdversary(
  { options, demonstrations, engine, model, maxNewTokens, seed, run, hooks }: AdversarySetup,
): Promise<Adversary> {
  const { say = () => undefined, progress } = hooks;
  const open = (name: string, own: number) => openCritic({ engine, model, options, seed: own, dir: run.path('work', name), progress });
  const critic = await open('critic', seed + 1);
  const held = options.held ? await open('held-critic', seed + 2) : undefined;
  const places = new Map(demonstrations.map((one, place) => [one.prompt, place]));
  const seen = new Map<number, Kept>();
  const fileOf = (k: number): string => run.path('work', `round-${k}`, 'critic.json');

  const pairOf = ({ prompt, ids, row }: RewardItem): CriticPair & { readonly place: number } => {
    const place = places.get(row!)!;
    const { response, prompt: { source } } = demonstrations[place]!;
    const before = model.template.prompt(prompt);
    return {
      place, where: at(source),
      demonstration: { prompt: before, response: model.template.response(response).slice(0, maxNewTokens) },
      answer: { prompt: before, response: ids! },
    };
  };

  async function play(k: number, items: readonly RewardItem[]): Promise<Kept> {
    if (critic.round > k || (held?.round ?? 0) > k) {
      throw new UserError(`${fileOf(k)} is gone, and the critic has learnt from later rounds.`, ['Start again with --overwrite.']);
    }
    const pairs = items.map(pairOf);
    const half = (of: number) => (held === undefined ? pairs : pairs.filter(({ place }) => place % 2 === of));
    const own = await critic.play(k, pairs, half(0));
    const other = await held?.play(k, pairs, half(1));
    const chances = (await critic.margins(pairs)).map(chanceOf);
    return { ...own, ...(other === undefined ? {} : { held: other }), chances };
  }

  return {
    weight: options.weight,
    async rate(k, items) {
      for (let round = 1; round <= k; round++) {
        if (!seen.has(round) && existsSync(fileOf(round))) seen.set(round, await readKept<Kept>(fileOf(round)));
      }
      if (!seen.has(k)) {
        const kept = await play(k, items);
        await atomicWrite(fileOf(k), `${JSON.stringify(kept)}\n`);
        seen.set(k, kept);
      }
      const now = seen.get(k)!;
      say(`round ${k}: ${describe(now, options)}.`);
      const alarm = criticAlarm(upTo(k));
      if (alarm !== undefined) say(`${describeCriticAlarm(alarm)}.`);
      return {
        alarm,
        chances: now.chances,
        metrics: {
          'critic/accuracy': now.accuracy, 'critic/confidence': now.confidence, 'critic/loss': now.loss, 'critic/steps': now.steps,
          ...(now.held === undefined ? {} : { 'critic/held_accuracy': now.held.accuracy }),
        },
      };
    },
    alarms: () => [...seen.keys()].sort((a, b) => a - b).flatMap((k) => criticAlarm(upTo(k)) ?? []),
    async finish(folder) {
      await critic.save(folder);
      await critic.finish();
      await held?.finish();
    },
  };

  function upTo(k: number): Kept[] {
    return Array.from({ length: k }, (_, i) => seen.get(i + 1)!);
  }
}

/**
 * An alarm of the newest round where the critic has now won three rounds in a row (its accuracy and its confidence are above 0.85), or lost
 * three (both are below 0.15). A critic that is right half the time raises none: it cannot tell the answers from demonstrations, which is
 * what the policy learns for.
 *
 * @param rounds Each round from the first.
 */
export function criticAlarm(rounds: readonly Pick<CriticRound, 'accuracy' | 'confidence'>[]): Alarm | undefined {
  const lasted = (holds: (value: number) => boolean): boolean => {
    const since = rounds.findLastIndex(({ accuracy, confidence }) => !holds(accuracy) || !holds(confidence));
    return rounds.length - 1 - since === STREAK;
  };
  if (!lasted((x) => x > WON) && !lasted((x) => x < 1 - WON)) return undefined;
  return { round: rounds.length, sign: 'critic/accuracy', first: rounds[0]!.accuracy, now: rounds.at(-1)!.accuracy };
}

/** An alarm of the critic for people, with what to do. */
export const describeCriticAlarm = ({ round, now }: Alarm): string => (now > WON
  ? `alarm in round ${round}: the critic was right and sure in ${STREAK} rounds, so that it pays nearly the same for all answers; raise `
    + 'adversary.smoothing, lower adversary.learningRate, or begin with a policy that has seen demonstrations (adapter.from)'
  : `alarm in round ${round}: the critic took nearly every answer for the demonstration in ${STREAK} rounds, so that the policy has found `
    + 'what pays and not what is good; raise adversary.steps, and read rollouts.jsonl');

function describe({ accuracy, confidence, steps, held }: Kept, { above }: AdversaryOptions): string {
  const sure = accuracy > above && confidence > above;
  const still = sure ? `is sure of it (${finePercent(confidence)}), and takes no step` : 'and finds no pair to learn from';
  return `the critic tells ${finePercent(accuracy)} of the answers from demonstrations`
    + (held === undefined ? '' : ` (the one held out ${finePercent(held.accuracy)})`)
    + (steps > 0 ? `, and takes ${steps} ${steps === 1 ? 'step' : 'steps'}` : `, ${still}`);
}
