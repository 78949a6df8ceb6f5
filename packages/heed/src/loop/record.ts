import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import type { StepMetrics } from '../run/metrics.js';
import type { TrainOptions } from '../run/recipe-schemas.js';
import { Interrupted } from '../run/signals.js';
import type { Item } from '../train/item.js';
import { NotFiniteError } from '../train/not-finite.js';
import type { Learnt, Step, Trainer } from '../train/trainer.js';
import { type RoundReport, type Snapshot, goBackTo, loadNewest, saveCheckpoint } from './checkpoints.js';
import type { Lesson } from './source.js';

/** What a run keeps of its training on disk: the log of its steps, its checkpoints, and a report of each round. */
export interface TrainingRecord {
  /** The round that training goes on with. */
  readonly round: number;
  readonly reports: readonly RoundReport[];
  /** The step that a resume goes on from. */
  readonly resumedFrom: number | undefined;
  /**
   * The number of a round's steps that are taken already: 0 where the round has not begun, 'all' where it has ended.
   *
   * @throws UserError where the round was begun with other items
   */
  begin(k: number, lesson: Lesson): Promise<number | 'all'>;
  /** Logs a step, and saves where a checkpoint is due. @throws Interrupted after saving, where a stop was asked for */
  step(step: Step, more?: Readonly<Record<string, number>>): Promise<void>;
  /**
   * For a loss that is not finite: saves the state before that step and returns an error that says what to do. Returns other errors as they
   * are.
   */
  failure(error: unknown): Promise<unknown>;
  /** Reports a round, and saves its end where a step was taken. @throws Interrupted where a stop was asked for and a round is left */
  end(learnt: Learnt, words: Readonly<Record<string, unknown>> | undefined): Promise<void>;
  /**
   * Goes back to the policy that wrote the answers of the newest round whose lesson did not object to it, and saves that; a resume goes on
   * from there.
   *
   * @returns Where it went back to; undefined where the policy has taken no step since, or no lesson looked at one before.
   */
  goBack(): Promise<WentBack | undefined>;
}

/** A return to an earlier policy. */
export interface WentBack {
  /** The round whose answers it wrote. */
  readonly round: number;
  /** Steps that it had taken, and those that the policy had taken which is not kept. */
  readonly step: number;
  readonly from: number;
}

/** The same for people. */
export const describeReturn = ({ round, step, from }: WentBack): string =>
  `the policy after step ${from} is not kept: the adapter is that after step ${step}, which wrote the answers of round ${round}.`;

export interface RecordSetup {
  readonly run: Pick<RunFolder, 'metrics' | 'samples' | 'checkpointsDir' | 'resuming'>;
  readonly trainer: Trainer;
  readonly options: TrainOptions;
  readonly rounds: number;
  /** Checkpoints are saved by `train.checkpointEvery` alone, and not at the end of every round. */
  readonly shortRounds: boolean;
  /** Lessons may ask to go back, so an earlier state is kept, too. */
  readonly goesBack: boolean;
  readonly interrupt: Hooks['interrupt'];
  readonly say?: Hooks['say'];
}

/** Opens the record of a run. On a resume the trainer gets the state of the newest checkpoint, and later lines of the logs are dropped. */
export async function openRecord(
  { run, trainer, options, rounds, shortRounds, goesBack, interrupt, say }: RecordSetup,
): Promise<TrainingRecord> {
  const goodDir = join(run.checkpointsDir, 'good');
  const fits = [trainer.policy.shape[0]!, Object.keys(trainer.copies)] as const;
  const saved = run.resuming ? await loadNewest(run.checkpointsDir, ...fits) : undefined;
  if (saved !== undefined) await trainer.restore(saved.trainer);
  await run.metrics.truncateAfter(trainer.step);
  await run.samples.truncateAfter(trainer.step);
  const logged = (await run.metrics.rows()).at(-1)?.step ?? 0;
  if (logged < trainer.step)
    say?.(`${run.metrics.path} ends at step ${logged}, and the run goes on from step ${trainer.step}: lines between were lost.`);
  const lines = (await run.samples.rows()).length;
  const written = saved?.samples ?? 0;
  if (lines < written)
    say?.(`${run.samples.path} has ${lines} of ${written} lines that were written by step ${trainer.step}: the others were lost.`);
  const reports = [...(saved?.reports ?? [])];
  const place = { round: saved?.round ?? 1, done: saved?.done ?? 0, roundSteps: saved?.roundSteps ?? 0, data: saved?.data ?? '' };
  let kept = trainer.step;
  // The state before the newest round that no lesson objected to. Its step is never after that of a checkpoint that is gone on from.
  let good: Snapshot | undefined = saved && goesBack ? await loadNewest(goodDir, ...fits, trainer.step) : undefined;
  let goodOnDisk = good;
  const stopping = (): boolean => interrupt?.requested === true;

  const placed = async (): Promise<Omit<Snapshot, 'trainer'>> =>
    ({ ...place, reports: [...reports], samples: (await run.samples.rows()).length });

  async function save(): Promise<void> {
    if (good !== undefined && good !== goodOnDisk) {
      // Two of them: the newest may turn out to be of a later step than the checkpoint that a kill leaves.
      await saveCheckpoint(goodDir, good, 2);
      goodOnDisk = good;
    }
    await saveCheckpoint(run.checkpointsDir, { ...await placed(), trainer: trainer.saving() }, options.keep);
    kept = trainer.step;
  }

  return {
    round: place.round,
    reports,
    resumedFrom: saved?.trainer.step,
    async begin(k, { items, goBack }) {
      const data = fingerprint(items);
      if (k !== place.round || saved === undefined) Object.assign(place, { round: k, done: 0, roundSteps: 0, data });
      else if (data !== place.data) {
        throw new UserError(`The rows of round ${k} are not those that this run began with, so the run cannot go on.`, [
          'Restore the data, and what the run keeps in its folder `work`, or start again with --overwrite.',
        ]);
      }
      if (goesBack && goBack !== true && place.done === 0) good = { ...await placed(), trainer: await trainer.save() };
      return place.done > 0 && place.done === place.roundSteps ? 'all' : place.done;
    },
    async step(taken, more) {
      const { step, ofRound, roundSteps } = taken;
      Object.assign(place, { done: ofRound, roundSteps });
      run.metrics.append(logRow(taken, rounds > 1 ? { round: place.round, ...more } : more));
      if (ofRound === roundSteps) return; // `end` saves it
      if (stopping() || (options.checkpointEvery > 0 && step % options.checkpointEvery === 0)) await save();
      if (!stopping()) return;
      const where = rounds > 1 ? `, in round ${place.round} of ${rounds}` : ` of ${roundSteps}`;
      throw new Interrupted(`Stopped after step ${step}${where}; go on with --resume.`);
    },
    async failure(error) {
      if (!(error instanceof NotFiniteError)) return error;
      if (kept < trainer.step) await save();
      return error.forUser();
    },
    async end({ steps, loss }, words) {
      reports.push({ round: place.round, steps, loss: Number.isNaN(loss) ? null : loss, ...words });
      const last = place.round === rounds;
      const due = options.checkpointEvery > 0 && trainer.step - kept >= options.checkpointEvery;
      // Without a step the newest checkpoint says all. A resume makes this empty lesson again, from what is on disk.
      if (steps > 0 && (!shortRounds || last || due || stopping())) await save();
      if (stopping() && place.round < rounds) throw new Interrupted(`Stopped after round ${place.round}; go on with --resume.`);
    },
    async goBack() {
      const from = trainer.step;
      if (good === undefined || good.trainer.step === from) return undefined;
      await trainer.restore(good.trainer);
      await goBackTo(run.checkpointsDir, good, options.keep);
      return { round: good.round, step: good.trainer.step, from };
    },
  };
}

/** A step as a line of `metrics.jsonl`. */
export const logRow = (
  { step, loss, learningRate, tokens, metrics, gradientNorm, seconds }: Step,
  more: Readonly<Record<string, number>> = {},
): StepMetrics => ({ step, ...more, loss, lr: learningRate, tokens, ...metrics, grad_norm: gradientNorm, seconds });

function fingerprint(items: readonly Item[]): string {
  const hash = createHash('sha256');
  for (const item of items) hash.update(JSON.stringify([item.index, item.sequences, item.columns]));
  return hash.digest('hex');
}
