import { silentProgress } from '../run/progress.js';
import type { Learnt, Step } from '../train/trainer.js';
import type { RoundReport } from './checkpoints.js';
import { type RecordSetup, type TrainingRecord, type WentBack, describeReturn, openRecord } from './record.js';
import type { Hooks } from '../run/job.js';
import type { Lesson, Source } from './source.js';

/** What the loop works with. */
export interface LoopSetup extends Omit<RecordSetup, 'rounds' | 'shortRounds' | 'goesBack' | 'interrupt' | 'say'> {
  readonly source: Source;
  /** The optimizer and its schedule start anew in every round. */
  readonly fresh: boolean;
  /** Whether training begins with a fresh adapter. The model with it equals the model without it until the first step. */
  readonly untouched: boolean;
  readonly hooks: Hooks;
  /** Called with each round's lesson, before anything is learnt from it. */
  onLesson?(k: number, lesson: Lesson): void;
  /** Called after each step, before anything is saved: for lines of `samples.jsonl`. */
  onStep?(step: Step, lesson: Lesson): void;
}

/** A round whose lesson has no items. */
const NOTHING: Learnt = { steps: 0, loss: Number.NaN, tokens: 0, seconds: 0 };

/** The results of a loop. */
export interface LoopResult {
  readonly reports: readonly RoundReport[];
  /** Tokens that went through the model while learning, and the seconds of it, both since the last resume. */
  readonly tokens: number;
  readonly seconds: number;
  readonly resumedFrom: number | undefined;
  /** Where the last lesson asked to go back, and an earlier policy is the result. */
  readonly wentBack?: WentBack;
}

/**
 * The whole of training: rows → learn → save, round after round. A lesson without items leaves the policy as it is. A resumed run goes on
 * from its newest checkpoint, and ends with the same numbers as an uninterrupted run.
 *
 * @throws Interrupted after saving, where `hooks.interrupt` asked for it
 * @throws UserError where a resume finds other rows, or a loss is not finite; the last good state is saved
 */
export async function runLoop(
  { source, trainer, run, options, fresh, untouched, hooks, onLesson, onStep }: LoopSetup,
): Promise<LoopResult> {
  const { rounds } = source;
  const { progress = silentProgress, interrupt, say } = hooks;
  const record = await openRecord({
    run, trainer, options, rounds, shortRounds: source.shortRounds === true, goesBack: source.goesBack === true, interrupt, say,
  });
  let wentBack: WentBack | undefined;
  let [tokens, seconds] = [0, 0];

  for (let k = record.round; k <= rounds; k++) {
    const lesson = await source.lesson({
      k, policy: untouched && trainer.step === 0 ? undefined : trainer.policy, read: (...given) => trainer.read(...given),
    });
    const done = await record.begin(k, lesson);
    if (done === 'all') continue;
    onLesson?.(k, lesson);
    if (lesson.items.length === 0) {
      await record.end(NOTHING, await source.learnt?.(k, NOTHING));
      if (lesson.goBack === true) wentBack = await goBack(record, say);
      if (lesson.last === true) break;
      continue;
    }
    if (fresh && k > 1 && done === 0) {
      await trainer.restartOptimizer();
      say?.(`Round ${k} starts the optimizer anew (loop.fresh).`);
    }
    const learnt = await trainer.learn(lesson.items, {
      seed: lesson.seed,
      order: lesson.order,
      schedule: lesson.schedule ?? (fresh ? undefined : { round: k, rounds, steps: lesson.steps }),
      done,
      progress,
      doing: rounds > 1 && lesson.schedule === undefined ? `round ${k} of ${rounds}: training` : undefined,
      async onStep(step) {
        onStep?.(step, lesson);
        await record.step(step, lesson.metrics);
      },
    }).catch(async (error: unknown) => {
      throw await record.failure(error);
    });
    await record.end(learnt, await source.learnt?.(k, learnt));
    tokens += learnt.tokens;
    seconds += learnt.seconds;
    if (lesson.last === true) break;
  }
  return { reports: record.reports, tokens, seconds, resumedFrom: record.resumedFrom, ...(wentBack && { wentBack }) };
}

async function goBack(record: TrainingRecord, say: Hooks['say']): Promise<WentBack | undefined> {
  const went = await record.goBack();
  say?.(went === undefined
    ? 'No earlier policy was seen to be better: the policy stays as it is.'
    : describeReturn(went));
  return went;
}
