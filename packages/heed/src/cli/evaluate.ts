/** `heed evaluate`: how well a model's answers fare with a judge, with an adapter beside its base. */
import type { Command } from 'commander';

import type { AnswerReport } from '../evaluate/answers.js';
import { percent, withInterval } from '../run/numbers.js';
import type { Output } from './output.js';
import { table } from './output.js';
import { type ModelFlags, type SamplingFlags, loadAdaptedModel, modelFlags, number, requireWhole, samplingOf, samplingFlags } from './model-flags.js';

interface Options extends ModelFlags, SamplingFlags {
  readonly prompts: string;
  readonly judge: string;
  readonly limit?: number;
  readonly output?: string;
  readonly overwrite?: boolean;
}

type Who = 'base' | 'adapter';

export function register(program: Command, out: Output): void {
  const command = program
    .command('evaluate')
    .description('have a judge grade the answers of a model, and of an adapter beside it')
    .requiredOption('--prompts <file>', 'JSONL, CSV or Parquet with a column prompt (text or turns)')
    .requiredOption('--judge <judge>', 'who grades: rules:FILE')
    .option('--limit <n>', 'use the first n prompts only', number)
    .option('-o, --output <file>', 'keep the answers with their judgments: JSONL rows that heed train takes')
    .option('--overwrite', 'replace the output file');
  samplingFlags(modelFlags(command), { maxTokens: 96, temperature: 0 }).action((options: Options) => evaluate(options, out));
}

async function evaluate({ prompts: file, judge: spec, limit, output, overwrite = false, ...flags }: Options, out: Output): Promise<void> {
  const [{ rowsFile }, { readPrompts }, { openGenerator }, { startEngine }, { createProgress }, { openJudge }, { evaluateAnswers }, { pairedDifference }, { createScorer }] = await Promise.all([
    import('./rows-file.js'), import('./prompts.js'), import('../generate/open.js'), import('@heed/tensor'),
    import('../run/progress.js'), import('../judge/open.js'), import('../evaluate/answers.js'), import('../run/statistics.js'), import('../model/scorer.js'),
  ]);
  if (limit !== undefined) requireWhole('--limit', limit, 1);
  const sampling = await samplingOf(flags);
  const answersFile = output === undefined ? undefined : rowsFile(output, { overwrite, out });
  const judge = await openJudge(spec);
  const { model, adapter } = await loadAdaptedModel(flags, out);
  const prompts = await readPrompts(file, model, { maxNewTokens: sampling.maxNewTokens, ...(limit === undefined ? {} : { limit }) });

  const progress = createProgress();
  const engine = await startEngine();
  const reports: Partial<Record<Who, AnswerReport>> = {};
  try {
    const scorer = await createScorer(engine, model);
    for (const who of adapter === undefined ? (['base'] as const) : (['base', 'adapter'] as const)) {
      const generator = await openGenerator(engine, model, { batch: 32, ...(who === 'adapter' && adapter !== undefined ? { adapter } : {}) });
      progress.start(`${who}: answering`, prompts.rows.length, { unit: 'answers' });
      const report = await evaluateAnswers({ model, generator, scorer, judge, rows: prompts.rows, sampling, onProgress: (n) => progress.update(n) });
      progress.stop();
      await generator.release();
      reports[who] = report;
      for (const { row, response, verdict, finish, tokens } of report.answers) {
        answersFile?.append({
          ...(row.id === undefined ? {} : { id: row.id }), by: who, ...prompts.asGiven(row, response),
          judgment: verdict.judgment, satisfied: verdict.satisfied, score: verdict.score, findings: verdict.findings, finish, tokens: tokens.length,
        });
      }
    }
  } finally {
    progress.stop();
    answersFile?.close();
    await engine.close();
  }

  const base = reports.base!;
  const numbers = ({ satisfied, findings, fluency }: AnswerReport) => ({ satisfied, findings, fluency });
  const marks = ({ answers }: AnswerReport): number[] => answers.map(({ verdict }) => Number(verdict.satisfied));
  const after = reports.adapter;
  const gain = after && pairedDifference(marks(base), marks(after), { seed: 0 });
  const kept = answersFile === undefined || answersFile.isStdout ? undefined : answersFile.name;
  const human = [
    renderReports(spec, { base, ...(after === undefined ? {} : { adapter: after }) }),
    ...(gain === undefined ? [] : ['', `gain of the adapter, prompt by prompt: ${withInterval(gain, percent)}`]),
    ...(kept === undefined ? [] : ['', `The answers are in ${kept}`]),
  ].join('\n');
  // stdout holds the answers and nothing else.
  if (answersFile?.isStdout === true) return out.note(human);
  out.result({
    judge: spec, n: base.answers.length, model: model.checkpoint.id, base: numbers(base),
    ...(after === undefined ? {} : { adapter: numbers(after), adapterFolder: flags.adapter, gain }),
    ...(kept === undefined ? {} : { output: kept }),
  }, human);
}

/** One column a model, one line a measure. */
function renderReports(judge: string, reports: Readonly<Partial<Record<Who, AnswerReport>>>): string {
  const all = Object.entries(reports);
  const n = all[0]![1].answers.length;
  const line = (name: string, value: (report: AnswerReport) => string): string[] => [name, ...all.map(([, report]) => value(report))];
  return [
    `${n} prompts, graded by ${judge}; in brackets: 95 % intervals`,
    '',
    table([
      ['', ...all.map(([who]) => who)],
      line('satisfy the judge', (r) => withInterval(r.satisfied, percent)),
      line('findings an answer', (r) => withInterval(r.findings, (x) => x.toFixed(2))),
      line('words, median', (r) => String(r.fluency.medianWords)),
      line('distinct-2', (r) => r.fluency.distinct2.toFixed(2)),
      line('log p a token under the base', (r) => r.fluency.logprobPerToken.toFixed(2)),
      line('cut off at --max-tokens', (r) => percent(r.fluency.unfinished)),
    ]),
  ].join('\n');
}
