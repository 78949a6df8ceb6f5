/** `heed evaluate` on the benchmarks of a recipe, as a job. */
import { openEngine } from '../cluster/open.js';
import type { Completion } from '../generate/request.js';
import { describeWaiting, waitingFor } from '../judge/human.js';
import { type Failure, failed, reasonsOf } from '../judge/respondent.js';
import { loadModel } from '../model/load.js';
import { loadAdapter } from '../model/peft.js';
import { clockOf } from '../run/clock.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import { type Hooks, type Summary, peakRssMb } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { writeReport } from '../run/report/write.js';
import { Interrupted } from '../run/signals.js';
import type { Estimate } from '../run/statistics.js';
import { Waiting } from '../run/waiting.js';
import { type Asked, scoreChoices, writeAnswers } from './ask-benchmarks.js';
import type { BenchmarkRecipe } from './benchmark-recipe.js';
import { type Prepared, type PreparedAnswers, isChoice, isContinuation, prepareTask } from './prepared.js';
import { type Change, type MeasuredItem, type Score, changesOf, groupsOf, scoresOf } from './score.js';
import type { Measures } from './tasks/task.js';
import { type When, byWhom } from './when.js';

/** An item with the reply and what was measured of it. */
interface Replied extends MeasuredItem {
  readonly reply: { readonly logLikelihoods: readonly number[] } | { readonly response: string; readonly finish: Completion['finish'] };
  /** Why there is no number. */
  readonly failure?: Failure;
}

/** What was measured of one task. */
export interface TaskSummary {
  readonly task: string;
  readonly rows: number;
  readonly shots: number;
  readonly applyChatTemplate: boolean;
  /** Items whose context was cut at its head, because it did not fit the model. */
  readonly cut: number;
  /** Share of answers that were cut off at `maxNewTokens`; absent where choices were scored. */
  readonly unfinished?: Readonly<Partial<Record<When, number>>>;
  /** Items without a number, by reason. */
  readonly failures: Readonly<Partial<Record<When, Readonly<Record<string, number>>>>>;
  readonly before: Readonly<Record<string, Score>>;
  readonly after?: Readonly<Record<string, Score>>;
  readonly change?: Readonly<Record<string, Change>>;
  /** Means by subject, or by whatever the items' group is; absent where there are no groups. */
  readonly groups?: Readonly<Partial<Record<When, ReturnType<typeof groupsOf>>>>;
  /** Means by field of subjects. */
  readonly fields?: Readonly<Partial<Record<When, ReturnType<typeof groupsOf>>>>;
}

/** What `summary.json` of an evaluation on benchmarks holds. `before`, `after` and `change` have all metrics, as `task metric`. */
export interface BenchmarkSummary extends Summary {
  readonly job: 'evaluate';
  readonly before: Readonly<Record<string, Score>>;
  readonly tasks: Readonly<Record<string, TaskSummary>>;
}

/** What an evaluation on benchmarks writes into its folder, beside what every run has. */
export const BENCHMARK_FILES: readonly string[] = ['items.jsonl'];

/** Keys of the recipe that may differ when a run goes on: replies are kept by what was asked. */
export const BENCHMARK_FREE: readonly string[] = ['tasks', 'store', 'cluster'];

/**
 * Measures a model on benchmarks, and the model with an adapter where one is named. Every reply is kept in the run's folder, so a run that
 * was stopped goes on, and another metric or task asks nothing again. Writes `items.jsonl`, `summary.json` and `report.html`. Starts an
 * engine, and closes it.
 *
 * @param run From `openRun` with the recipe's text, opened to resume.
 * @throws UserError where model, adapter, data or a reward cannot be used
 * @throws Interrupted where `interrupt` asked for it; the run can be resumed
 */
export async function runBenchmarks(recipe: BenchmarkRecipe, run: RunFolder, hooks: Hooks = {}): Promise<BenchmarkSummary> {
  const { progress = silentProgress, say = () => undefined } = hooks;
  const started = performance.now();
  const model = await loadModel(recipe.model, { template: recipe.template, precision: recipe.precision, now: clockOf(run), log: say });
  const adapter = recipe.adapter === undefined ? undefined : await loadAdapter(recipe.adapter, model.checkpoint);
  const tasks: Prepared[] = [];
  for (const [name, options] of Object.entries(recipe.tasks)) tasks.push(await prepareTask(name, options, model));
  for (const { name, cut, items } of tasks)
    if (cut > 0) say(`${name}: the context of ${cut} of ${items.length} items was cut at its head, to fit the model.`);
  const engine = await openEngine(recipe.cluster, { device: recipe.device, run, progress, say });
  try {
    const replied: Partial<Record<When, ReadonlyMap<string, readonly Replied[]>>> = {};
    for (const when of adapter === undefined ? ['before'] as const : ['before', 'after'] as const) {
      const asked = { engine, model, adapter: when === 'after' ? adapter : undefined, run, hooks };
      replied[when] = await askAll(asked, tasks, recipe);
    }
    await atomicWrite(run.path('items.jsonl'), itemLines(tasks, replied));
    const summaries = Object.fromEntries(tasks.map((task) => [task.name, summarise(task, replied)]));
    const summary: BenchmarkSummary = {
      job: 'evaluate', model: recipe.model, rows: tasks.reduce((n, { items }) => n + items.length, 0), skipped: 0,
      before: joined(summaries, ({ before }) => before),
      ...(adapter === undefined ? {} : {
        after: joined(summaries, ({ after }) => after!), change: joined<Estimate>(summaries, ({ change }) => change!),
      }),
      tasks: summaries,
      seconds: Math.round((performance.now() - started) / 100) / 10, peakRssMb: await peakRssMb(engine),
      cluster: engine.rates?.summary(),
    };
    await run.writeSummary(summary);
    await writeReport(run.dir);
    return summary;
  } finally {
    progress.stop();
    await engine.close();
  }
}

/** Asks one model all items. Choices come first: the scorer is gone before the generator takes its memory. */
async function askAll(
  asked: Asked, tasks: readonly Prepared[], { store }: BenchmarkRecipe,
): Promise<ReadonlyMap<string, readonly Replied[]>> {
  const found = new Map<string, readonly Replied[]>();
  const choices = tasks.filter(isChoice);
  const scored = await scoreChoices(asked, choices);
  choices.forEach(({ name, task, items }, t) => {
    found.set(name, items.map((item, i): Replied => {
      const logLikelihoods = scored[t]![i]!;
      return { group: item.group, measures: task.measure(item, logLikelihoods), reply: { logLikelihoods } };
    }));
  });
  const written = tasks.filter((one): one is PreparedAnswers => !isChoice(one));
  const answers = await writeAnswers(asked, written);
  for (const [t, task] of written.entries()) found.set(task.name, await measureAnswers(asked, task, answers[t]!, store));
  return found;
}

async function measureAnswers(
  { engine, hooks }: Asked, prepared: PreparedAnswers, answers: readonly Completion[], store: string,
): Promise<readonly Replied[]> {
  const { name, options } = prepared;
  const replied = (measured: readonly (Measures | Failure)[]): Replied[] => answers.map(({ text, finish }, i) => {
    const one = measured[i]!;
    const said = failed(one) ? { failure: one } : { measures: one };
    return { group: prepared.items[i]!.group, reply: { response: text, finish }, ...said };
  });
  if (isContinuation(prepared)) {
    const { task, items } = prepared;
    return replied(answers.map(({ text }, i) => task.measure(items[i]!, text)));
  }
  const { task, items } = prepared;
  const { progress = silentProgress, interrupt, say } = hooks;
  const measurer = await task.open(options, {
    engine, store, log: say, interrupt,
  });
  try {
    progress.start(`measuring ${name}`, answers.length, { unit: 'answers' });
    const measured = await measurer.measure(items, answers, {
      onProgress: (done) => progress.update(done), signal: interrupt?.signal,
    });
    progress.stop();
    if (interrupt?.requested === true) throw new Interrupted('Stopped while measuring; the replies of a judge are kept.');
    const waiting = await waitingFor(measured.filter((one): one is Failure => failed(one)));
    if (waiting !== undefined) throw new Waiting(`${describeWaiting(waiting)}.`);
    return replied(measured);
  } finally {
    await measurer.close();
  }
}

type ByWhen = Readonly<Partial<Record<When, ReadonlyMap<string, readonly Replied[]>>>>;

/** Something of each side that was asked. */
const ofEach = <T>(replied: ByWhen, name: string, of: (items: readonly Replied[]) => T): Partial<Record<When, T>> =>
  Object.fromEntries(Object.entries(replied).map(([when, all]) => [when, of(all.get(name)!)]));

function summarise({ name, task, items, options, cut }: Prepared, replied: ByWhen): TaskSummary {
  const before = replied.before!.get(name)!;
  const after = replied.after?.get(name);
  const grouped = items.some(({ group }) => group !== undefined);
  const { fields } = task;
  return {
    task: task.name, rows: items.length, shots: options.shots ?? 0,
    applyChatTemplate: task.kind === 'answer' || options.applyChatTemplate === true, cut,
    ...(task.kind === 'choice' ? {} : { unfinished: ofEach(replied, name, unfinishedOf) }),
    failures: ofEach(replied, name, failuresOf),
    before: scoresOf(before), ...(after === undefined ? {} : { after: scoresOf(after), change: changesOf(before, after) }),
    ...(grouped ? { groups: ofEach(replied, name, (all) => groupsOf(all)) } : {}),
    ...(fields === undefined ? {} : { fields: ofEach(replied, name, (all) => groupsOf(all, (group) => fields[group])) }),
  };
}

const unfinishedOf = (all: readonly Replied[]): number =>
  all.filter(({ reply }) => 'finish' in reply && reply.finish === 'length').length / all.length;

const failuresOf = (all: readonly Replied[]): Record<string, number> => reasonsOf(all.flatMap(({ failure }) => failure ?? []));

/** All metrics of all tasks, as `task metric`. */
const joined = <T>(summaries: Readonly<Record<string, TaskSummary>>, of: (summary: TaskSummary) => Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(summaries).flatMap(([name, summary]) =>
    Object.entries(of(summary)).map(([metric, value]) => [`${name} ${metric}`, value])));

/** A line for each item and side: what was replied and measured. */
function itemLines(tasks: readonly Prepared[], replied: ByWhen): string {
  const lines = tasks.flatMap(({ name, items }) => Object.entries(replied).flatMap(([when, all]) =>
    all.get(name)!.map(({ group, measures, reply, failure }, i) => {
      const { id, source } = items[i]!;
      const said = failure === undefined ? measures : { failure: failure.failure, detail: failure.detail };
      return { task: name, by: byWhom(when as When), id, line: source.line, group, ...reply, ...said };
    })));
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
