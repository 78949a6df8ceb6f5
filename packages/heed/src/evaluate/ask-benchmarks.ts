/** One model, with an adapter or without, is asked the items of tasks. */
import { type Engine, view } from '@heed/tensor';
import { createBranchScorer } from '../generate/branch-scorer.js';
import { foreseeWriting } from '../generate/memory.js';
import { openGenerator } from '../generate/open.js';
import type { Completion } from '../generate/request.js';
import { fingerprint } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { digestOf } from '../run/digest.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import { keptReplies } from './kept-replies.js';
import type { PreparedAnswers, PreparedChoice } from './prepared.js';

/** The model that answers. */
export interface Asked {
  readonly engine: Engine;
  readonly model: Model;
  readonly adapter: Adapter | undefined;
  readonly run: Pick<RunFolder, 'path'>;
  readonly hooks: Hooks;
}

/** Sequences that generation works on together. */
const LIVE = 32;

const STOPPED = 'Stopped. What was answered is kept; the same command goes on.';

/** A file for the replies to these requests, named by them and by who is asked. */
function fileOf({ model, adapter, run }: Asked, what: unknown): string {
  return run.path('work', `${digestOf([fingerprint(model, adapter), what])}.jsonl`);
}

/** The error of work that the user stopped; any other error as it is. */
const orStopped = (error: unknown, { interrupt }: Hooks): unknown => (interrupt?.requested === true ? new Interrupted(STOPPED) : error);

/**
 * The log-likelihood of every choice of every item, natural logarithm. What items share at their beginning, such as shots, is computed
 * once.
 *
 * @throws Interrupted where `interrupt` asked for it; what was scored is kept
 */
export async function scoreChoices(asked: Asked, tasks: readonly PreparedChoice[]): Promise<number[][][]> {
  if (tasks.length === 0) return [];
  const { engine, model, adapter, hooks } = asked;
  const { progress = silentProgress, interrupt } = hooks;
  const parameters = adapter && await engine.upload(adapter.parameters);
  const scorer = await createBranchScorer(engine, model, adapter && { plan: adapter.plan, parameters: view(parameters!) });
  try {
    const all: number[][][] = [];
    for (const { name, requests } of tasks) {
      const flat = requests.flat();
      const replies = await keptReplies<number[]>(fileOf(asked, flat), flat.length, async (missing, onReply) => {
        progress.start(`scoring ${name}`, flat.length, { unit: 'items', done: flat.length - missing.length });
        let done = flat.length - missing.length;
        await scorer.logProbs(missing.map((i) => flat[i]!), {
          onResult(at, logProbs) {
            onReply(missing[at]!, logProbs.map((tokens) => tokens.reduce((a, b) => a + b, 0)));
            progress.update(++done);
          },
          signal: interrupt?.signal,
        });
        progress.stop();
      });
      let at = 0;
      all.push(requests.map((own) => own.flatMap(() => replies[at++]!)));
    }
    return all;
  } catch (error) {
    throw orStopped(error, hooks);
  } finally {
    await scorer.release();
    if (parameters !== undefined) await engine.free(parameters);
  }
}

/**
 * The answers to every item.
 *
 * @throws Interrupted where `interrupt` asked for it; what was answered is kept
 */
export async function writeAnswers(asked: Asked, tasks: readonly PreparedAnswers[]): Promise<Completion[][]> {
  if (tasks.length === 0) return [];
  const { engine, model, adapter, hooks } = asked;
  const { progress = silentProgress, interrupt, say } = hooks;
  // Of all tasks at once: the longest prompts, and the longest answers.
  const prompts = tasks.flatMap(({ requests }) => requests.map(({ prompt }) => prompt.length));
  const maxNewTokens = Math.max(...tasks.map(({ sampling }) => sampling.maxNewTokens));
  const ways = { maxNewTokens: 'tasks.NAME.maxNewTokens: ', precision: 'precision: ' };
  foreseeWriting(engine, [{ model, plan: adapter?.plan, batch: LIVE, prompts, maxNewTokens }], ways, say);
  const generator = await openGenerator(engine, model, { batch: LIVE, adapter });
  try {
    const all: Completion[][] = [];
    for (const { name, requests, sampling } of tasks) {
      all.push(await keptReplies<Completion>(fileOf(asked, [requests, sampling]), requests.length, async (missing, onReply) => {
        let done = requests.length - missing.length;
        progress.start(`answering ${name}`, requests.length, { unit: 'answers', done });
        await generator.generate(missing.map((i) => requests[i]!), sampling, {
          onCompletion(completion) {
            onReply(completion.row, completion);
            progress.update(++done);
          },
          signal: interrupt?.signal,
        });
        progress.stop();
      }));
    }
    return all;
  } catch (error) {
    throw orStopped(error, hooks);
  } finally {
    await generator.release();
  }
}
