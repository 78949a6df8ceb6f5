import type { Engine } from '@heed/tensor';
import { UserError } from '../errors.js';
import { meanOf } from '../method/advantages.js';
import { bind } from '../method/bind.js';
import { TIE } from '../method/pairs.js';
import { rewardModel } from '../method/reward-model.js';
import { initialParameters } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { saveAdapter } from '../model/peft.js';
import type { Progress } from '../run/progress.js';
import { AdapterOptions, TrainOptions } from '../run/recipe-schemas.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { createForward } from '../train/forward.js';
import type { Item } from '../train/item.js';
import { NotFiniteError } from '../train/not-finite.js';
import { createTrainer } from '../train/trainer.js';
import { loadNewest, saveCheckpoint } from './checkpoints.js';
import { minibatches } from './rollout-order.js';
import { startAdapter } from './start.js';

/** A demonstration and the policy's own answer to the same prompt. */
export interface CriticPair {
  /** The demonstration's file and line, for messages. */
  readonly where: string;
  readonly demonstration: TokenSequence;
  readonly answer: TokenSequence;
}

/** How a critic learns. */
export interface CriticOptions {
  readonly rank: number;
  /** Steps in a round, and in the first one. */
  readonly steps: number;
  readonly first: number;
  readonly learningRate: number;
  /** A critic that is right more often than this, and as sure of it, takes no step. */
  readonly above: number;
  /** The demonstration counts as the real answer with probability 1 − smoothing. */
  readonly smoothing: number;
}

/** What a critic did in a round. */
export interface CriticRound {
  /** Of the round's fresh pairs, before the critic learnt from them: how often the demonstration has the higher score; equal scores: ½. */
  readonly accuracy: number;
  /** Of the same pairs, the mean of P(the demonstration is the demonstration). */
  readonly confidence: number;
  /** Its loss on the same pairs, with smoothing, in nats. */
  readonly loss: number;
  /** Optimizer steps that it took. */
  readonly steps: number;
}

/** A reward model that learns to tell demonstrations from the policy's answers: an adapter with a head, on the policy's own model. */
export interface Critic {
  /** The newest round whose steps it has taken; 0 before any. */
  readonly round: number;
  /**
   * Measures the round's pairs, then learns from those of them that it may. Its state is on disk before anything uses it. A round whose
   * steps it has already taken is not taken again.
   *
   * @param learnt Those it may learn from. Default: all.
   */
  play(k: number, pairs: readonly CriticPair[], learnt?: readonly CriticPair[]): Promise<CriticRound>;
  /** By how much the score of the answer is above that of the demonstration, for each pair. */
  margins(pairs: readonly CriticPair[]): Promise<number[]>;
  /** Writes it as an adapter that `rewardModel` reads. */
  save(folder: string): Promise<void>;
  /** Frees the memory of learning and scoring. */
  finish(): Promise<void>;
}

export interface CriticSetup {
  readonly engine: Engine;
  readonly model: Model;
  readonly options: CriticOptions;
  readonly seed: number;
  /** Where its state is kept. */
  readonly dir: string;
  readonly progress?: Progress;
}

/** P(the answer is the demonstration of its pair) = σ(margin), by Bradley and Terry. */
export const chanceOf = (margin: number): number => 1 / (1 + Math.exp(-margin));

/** −(1 − s) log σ(−margin) − s log σ(margin): the loss of a pair, whose margin is that of the answer over the demonstration. */
export const pairLoss = (margin: number, smoothing: number): number =>
  (1 - smoothing) * softplus(margin) + smoothing * softplus(-margin);

const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

/** How often the demonstration is ahead; equal scores count half. */
export function accuracyOf(margins: readonly number[]): number {
  const right = (margin: number): number => (Math.abs(margin) <= TIE ? 0.5 : Number(margin < 0));
  return meanOf(margins.map(right));
}

/** Opens a critic; one whose state is on disk goes on from it. */
export async function openCritic({ engine, model, options, seed, dir, progress }: CriticSetup): Promise<Critic> {
  const method = bind(rewardModel, {});
  const { rank, learningRate } = options;
  const { plan } = await startAdapter(AdapterOptions.parse({ rank, alpha: 2 * rank }), model.checkpoint, method.heads);
  const trainer = await createTrainer({
    engine, model, method, plan, parameters: initialParameters(plan, seed), moreRounds: true,
    options: TrainOptions.parse({ learningRate, schedule: 'constant', seed }),
  });
  const saved = await loadNewest(dir, plan.size, []);
  if (saved !== undefined) await trainer.restore(saved.trainer);
  let round = saved?.round ?? 0;
  let newest = saved?.reports.at(-1) as (CriticRound & { readonly round: number }) | undefined;
  let forward: ReturnType<typeof createForward> | undefined;

  async function margins(pairs: readonly CriticPair[]): Promise<number[]> {
    const scorer = await (forward ??= createForward(engine, model, method, { plan, wanted: ['score:score'] }));
    scorer.use(trainer.policy);
    const items = itemsOf(pairs, options.smoothing);
    const read = await scorer.read(items, method.names);
    const score = (item: Item, name: string): number => read.get(item)![`score:score:${name}`]![0]![0]!;
    return items.map((item) => score(item, 'rejected') - score(item, 'chosen'));
  }

  async function learn(k: number, pairs: readonly CriticPair[]): Promise<number> {
    const order = orderOf(pairs.length, k === 1 ? options.first : options.steps, options.steps, seed + k);
    await trainer.learn(itemsOf(pairs, options.smoothing), { seed: seed + k, order, progress, doing: `round ${k}: the critic learns` })
      .catch((error: unknown) => {
        if (!(error instanceof NotFiniteError)) throw error;
        throw new UserError(`round ${k}: ${error.what} of the critic is not a finite number. Rows: ${error.rows.join(', ')}.`, [
          'Lower adversary.learningRate.',
        ], { cause: error });
      });
    return order.length;
  }

  return {
    get round() { return round; },
    margins,
    async play(k, pairs, learnt = pairs) {
      if (newest?.round === k) return newest;
      const before = await margins(pairs);
      const measured = {
        accuracy: accuracyOf(before),
        confidence: meanOf(before.map((margin) => chanceOf(-margin))),
        loss: meanOf(before.map((margin) => pairLoss(margin, options.smoothing))),
      };
      const won = measured.accuracy > options.above && measured.confidence > options.above;
      // Equal texts cannot be told apart.
      const telling = learnt.filter(({ demonstration, answer }) => !sameTokens(demonstration.response, answer.response));
      if (won || telling.length === 0) return { ...measured, steps: 0 };
      const report = { ...measured, steps: await learn(k, telling), round: k };
      await saveCheckpoint(dir, { round: k, done: 0, roundSteps: 0, data: '', reports: [report], trainer: trainer.saving() }, 1);
      [round, newest] = [k, report];
      return report;
    },
    async save(folder) {
      await saveAdapter(folder, { plan, parameters: await trainer.parameters(), checkpoint: model.checkpoint });
    },
    async finish() {
      await trainer.finish();
      await (await forward)?.release();
      forward = undefined;
    },
  };
}

/** `count` steps that go through `n` pairs in passes of `perPass` steps. */
function orderOf(n: number, count: number, perPass: number, seed: number): number[][] {
  const batch = Math.ceil(n / perPass);
  return minibatches(n, { batch, epochs: Math.ceil(count / Math.ceil(n / batch)), seed }).slice(0, count);
}

const itemsOf = (pairs: readonly CriticPair[], smoothing: number): Item[] => pairs.map(({ where, demonstration, answer }, index) => ({
  index, where, sequences: { chosen: [demonstration], rejected: [answer] }, columns: { soft_label: 1 - smoothing, margin: 0 },
}));

const sameTokens = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, i) => id === b[i]);
