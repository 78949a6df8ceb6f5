import { startEngine } from '@heed/tensor';
import { loadData } from '../data/load.js';
import { listProblems } from '../data/problem.js';
import type { AnyRow, JudgedRow, PromptRow } from '../data/rows.js';
import { type AnswerReport, evaluateAnswers } from '../evaluate/answers.js';
import { openGenerator } from '../generate/open.js';
import { UserError } from '../errors.js';
import { openJudge } from '../judge/open.js';
import { reasons } from '../label/report.js';
import { type MethodOptions, methodOf } from '../method/index.js';
import type { BoundMethod } from '../method/method.js';
import { type AdapterPlan, initialParameters } from '../model/adapter.js';
import { loadModel } from '../model/load.js';
import { saveAdapter } from '../model/peft.js';
import { createScorer } from '../model/scorer.js';
import type { RunFolder } from '../run/folder.js';
import { type Progress, silentProgress } from '../run/progress.js';
import { createRandom } from '../run/random.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { writeReport } from '../run/report/write.js';
import { Interrupted } from '../run/signals.js';
import { createRespond } from '../text/respond.js';
import { heatmapSamples } from '../train/heatmap.js';
import { prepare } from '../train/items.js';
import { describeStart, holdStart, startAdapter } from '../train/start.js';
import { freeState } from '../train/state.js';
import { train } from '../train/trainer.js';
import { counted, openRoundJudge } from './judging.js';
import type { AlignRecipe } from './recipe.js';
import { answerPrompts, loadParameters, saveParameters } from './rounds.js';

export interface AlignHooks {
  readonly progress?: Progress;
  readonly interrupt?: { readonly requested: boolean };
  say?(line: string): void;
}

/** What an alignment run found out: the model before and after, on prompts that training never saw. */
export interface Aligned {
  readonly before: AnswerReport;
  readonly after: AnswerReport;
  readonly iterations: readonly {
    /** Answers with a judgment. */
    readonly answers: number;
    readonly satisfied: number;
    readonly trainedOn: number;
    readonly steps: number;
    /** Answers that a judge who was asked did not judge, by reason. */
    readonly unjudged?: Readonly<Record<string, number>>;
  }[];
  readonly peakRssMb: number;
  readonly resumedFrom?: number;
}

/**
 * The online loop of CUT (Xu et al. 2024, section 5.2): the model answers the prompts, a judge writes a judgment of each answer, the
 * method trains the adapter on them; repeat. Any method that learns from judged rows works here, and `sft` learns from the
 * satisfactory ones. Each round starts a fresh optimizer on the adapter as it is.
 */
export async function alignOnline(recipe: AlignRecipe, run: RunFolder, { progress = silentProgress, interrupt, say = () => undefined }: AlignHooks = {}): Promise<Aligned> {
  const model = await loadModel(recipe.model, { ...(recipe.template === undefined ? {} : { template: recipe.template }), log: say });
  const method = methodOf(recipe.method as MethodOptions);
  const { train: prompts } = await loadData(recipe.data, 'prompt');
  const { prompts: path, judge: independent, limit, ...sampling } = recipe.evaluate;
  const { train: held } = await loadData({ ...recipe.data, path, eval: undefined, limit }, 'prompt');
  await sameAsBefore(run.path('work', 'prompts.json'), [prompts, held], 'The prompts are not those');
  const start = await startAdapter(recipe.adapter, model.checkpoint);
  const { plan } = start;
  await holdStart(start, recipe.adapter, run);
  for (const line of describeStart(recipe.adapter)) say(line);
  const engine = await startEngine();
  try {
    const judge = await openJudge(independent ?? recipe.judge, { engine, log: say });
    const teacher = await openRoundJudge(recipe, { engine, progress, say, ...(interrupt === undefined ? {} : { interrupt }) });
    const assess = async (what: string, parameters?: Float32Array): Promise<AnswerReport> => {
      progress.start(what, held.length);
      const generator = await openGenerator(engine, model, withAdapter(plan, parameters));
      const scorer = parameters && (await createScorer(engine, model));
      const report = await evaluateAnswers({
        model, generator, ...(scorer === undefined ? { keptIn: run.path('work', 'before.json') } : { scorer }), judge, rows: held, sampling: { ...sampling, seed: recipe.train.seed },
        onProgress(n) {
          if (interrupt?.requested === true) throw new Interrupted('Stopped while answering the held-out prompts; --resume answers them again.');
          progress.update(n);
        },
      });
      await generator.release();
      await scorer?.release();
      progress.stop();
      return report;
    };

    const before = await assess('answering held-out prompts, before', start.parameters);
    say(describe('before', before));
    const iterations: Aligned['iterations'][number][] = [];
    let parameters = start.parameters ?? initialParameters(plan, recipe.train.seed);
    let steps = 0;
    let resumedFrom: number | undefined;
    for (let k = 1; k <= recipe.loop.iterations; k++) {
      const folder = (name: string): string => run.path('work', `iteration-${k}`, name);
      const { samples, ...decoding } = recipe.generate;
      progress.start(`iteration ${k}: answering`, prompts.length);
      // The generator's memory goes back before training asks for its own.
      const generator = await openGenerator(engine, model, withAdapter(plan, k > 1 ? parameters : start.parameters));
      const answers = await answerPrompts(folder('answers.jsonl'), prompts, model.template, generator, samples, { ...decoding, seed: recipe.train.seed + k }, {
        onProgress: (n) => progress.update(n), ...(interrupt === undefined ? {} : { interrupt }),
      });
      await generator.release();
      progress.stop();
      const { rows, failures, asking } = await teacher.judge(answers, prompts, folder('judgments.json'));
      await sameAsBefore(folder('rows.json'), rows, `The judgments of iteration ${k} are not those`);
      const learned = rowsFor(method, rows);
      const chosen = method.select(learned, createRandom('select', recipe.train.seed, k));
      const { items, skipped, truncated } = prepare(chosen, method, createRespond(model.template), { maxTokens: Math.min(recipe.data.maxTokens ?? Infinity, model.architecture.context), onLong: recipe.data.onLong, junk: recipe.data.junk });
      if (skipped.length > 0) say(`iteration ${k}, skipped:\n${listProblems(skipped)}`);
      if (truncated > 0) say(`iteration ${k}: ${truncated} prompts cut.`);
      const satisfied = rows.filter((r) => r.satisfied).length;
      if (items.length === 0) {
        throw new UserError(`Iteration ${k} leaves nothing to train on: of ${answers.length} answers ${rows.length} were judged, ${satisfied} of them satisfactory; ${method.name} takes none of these rows.`, [
          'Where the judge is satisfied with all or with none, it cannot tell answers apart: look at its judgments, or teach it (docs/labels.md).',
        ]);
      }
      const finished = run.resuming ? loadParameters(folder('parameters.safetensors')) : undefined;
      const trained = finished === undefined
        ? await train({
            engine, model, method, items, plan, initial: parameters, run, offset: steps, label: { iteration: k }, progress,
            options: { ...recipe.train, seed: recipe.train.seed + k },
            ...(interrupt === undefined ? {} : { interrupt }),
            onStep({ step }, result, last) {
              if (last) for (const row of heatmapSamples(result.heatmaps, chosen, model.tokenizer, step)) run.samples.append(row);
            },
          })
        : undefined;
      if (trained !== undefined) await freeState(engine, trained.state);
      parameters = finished ?? trained!.parameters;
      if (trained !== undefined) await saveParameters(folder('parameters.safetensors'), parameters);
      resumedFrom ??= trained?.resumedFrom;
      const taken = trained?.steps ?? (await stepsOf(run, k));
      steps += taken;
      iterations.push({ answers: rows.length, satisfied, trainedOn: items.length, steps: taken, ...(recipe.label === undefined ? {} : { unjudged: reasons(failures) }) });
      const left = answers.length - rows.length - failures.length;
      const without = failures.length === 0 ? '' : `, ${failures.length} got no judgment (${counted(failures)})`;
      say(`iteration ${k}: ${satisfied} of ${rows.length} training answers satisfy the judge${left > 0 ? `, ${left} were cut off or empty` : ''}${without}; trained on ${items.length} rows in ${taken} steps.`);
      if (asking !== undefined) say(`iteration ${k}: the judge was asked ${asking.asked} questions (${asking.promptTokens} tokens in, ${asking.completionTokens} out${asking.cost === undefined ? '' : `, cost ${asking.cost.toPrecision(3)}`}).`);
      if (interrupt?.requested === true) throw new Interrupted(`Stopped after iteration ${k}; go on with --resume.`);
    }
    const after = await assess('answering held-out prompts, after', parameters);
    say(describe('after', after));
    await saveAdapter(run.adapterDir, { plan, parameters, checkpoint: model.checkpoint, modelId: recipe.model });
    await run.samples.truncateAfter(steps);
    logAnswers(run, before, after, steps + 1); // behind the last step: a resume drops them and writes them again
    return { before, after, iterations, peakRssMb: Math.round((await engine.memory()).peakRss / 2 ** 20), ...(resumedFrom === undefined ? {} : { resumedFrom }) };
  } finally {
    progress.stop();
    await engine.close();
  }
}

/** Sequences that generation works on together. */
const LIVE = 32;
const withAdapter = (plan: AdapterPlan, parameters: Float32Array | undefined) => ({ batch: LIVE, ...(parameters === undefined ? {} : { adapter: { plan, parameters } }) });

/** Judged rows as the method takes them: a method of conversations imitates the satisfactory answers. */
function rowsFor(method: BoundMethod, rows: readonly JudgedRow[]): readonly AnyRow[] {
  if (method.row !== 'conversation') return rows;
  return rows.filter((r) => r.satisfied).map(({ source, id, prompt, completion }) => ({
    source, ...(id === undefined ? {} : { id }), messages: [...prompt, { role: 'assistant' as const, content: completion }],
  }));
}

async function stepsOf(run: RunFolder, iteration: number): Promise<number> {
  return (await run.metrics.rows()).filter((row) => row['iteration'] === iteration).length;
}

function logAnswers(run: RunFolder, before: AnswerReport, after: AnswerReport, step: number): void {
  for (const [when, report] of [['before', before], ['after', after]] as const) {
    for (const { row, response, verdict } of report.answers) {
      run.samples.append({ kind: 'answer', when, step, id: row.id ?? String(row.source.line), prompt: lastTurn(row), response, verdict: verdict.satisfied, reason: verdict.judgment });
    }
  }
}

const lastTurn = (row: PromptRow): string => row.prompt.at(-1)!.content;

const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;
const describe = (when: string, { satisfied, findings, fluency }: AnswerReport): string =>
  `${when}: ${percent(satisfied.mean)} of ${satisfied.n} held-out answers satisfy the judge [${percent(satisfied.low)}, ${percent(satisfied.high)}], ` +
  `${findings.mean.toFixed(2)} findings an answer, ${fluency.medianWords} words.`;

export async function finishAlignment(run: RunFolder, summary: object): Promise<string> {
  await run.writeSummary(summary);
  return writeReport(run.dir);
}
