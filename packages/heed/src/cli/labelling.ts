/** One labelling run from a recipe file, as `heed label` does it. */
import { type Engine, startEngine } from '@heed/tensor';

import { UserError } from '../errors.js';
import type { Respondent } from '../judge/respondent.js';
import { openRespondent } from '../judge/open.js';
import type { JudgeOptions } from '../judge/options.js';
import { LabelRecipe } from '../label/recipe.js';
import { renderLabelReport } from '../label/render-report.js';
import type { LabelReport } from '../label/report.js';
import { runLabelling } from '../label/run.js';
import { openStore } from '../label/store.js';
import { stored } from '../label/stored.js';
import { watched } from '../label/watched.js';
import { openRun } from '../run/folder.js';
import { finePercent } from '../run/numbers.js';
import { createProgress } from '../run/progress.js';
import { loadRecipe } from '../run/recipe.js';
import { onInterrupt } from '../run/signals.js';
import type { Output } from './output.js';

export interface LabelJob {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly out: Output;
}

/** @throws Error where more rows failed than `allowedFailures`, after everything was written. */
export async function label({ file, overrides, resume, overwrite, out }: LabelJob): Promise<{ readonly report: LabelReport; readonly run: string }> {
  if (resume && overwrite) throw new UserError('--resume and --overwrite contradict each other');
  const { recipe, text } = await loadRecipe(file, overrides, LabelRecipe);
  // Labelling again costs nothing, so going on is what happens without --resume too; another recipe in the folder is refused.
  const run = await openRun(recipe.run.dir, { recipe: text, resume: !overwrite, overwrite });
  const interrupt = onInterrupt((line) => out.note(line.replace('after this step and saving', 'and keeping what is labelled')));
  const progress = createProgress();
  const opened = createOpener(out);
  try {
    const store = await openStore(recipe.store);
    try {
      const sameOne = JSON.stringify(recipe.answers?.by) === JSON.stringify(recipe.judge);
      const judge = watched(stored(await opened.respondent(recipe.judge), store), progress, interrupt, 'judging');
      const writer = recipe.answers === undefined || sameOne ? undefined : watched(stored(await opened.respondent(recipe.answers.by), store), progress, interrupt, 'answering');
      const answering = writer ?? (recipe.answers === undefined ? undefined : judge);
      const report = await runLabelling(recipe, run, { judge, ...(answering === undefined ? {} : { writer: answering }), stopped: () => interrupt.requested });
      if (report.failed.share > report.failed.allowed) {
        out.note(renderLabelReport(report));
        throw tooManyFailed(report, run.dir);
      }
      return { report, run: run.dir };
    } finally {
      store.close();
    }
  } finally {
    progress.stop();
    interrupt.dispose();
    await opened.close();
    await run.close();
  }
}

function tooManyFailed({ failed, rows }: LabelReport, dir: string): UserError {
  return new UserError(
    `${failed.rows} of ${rows} rows failed (${finePercent(failed.share)}; allowedFailures is ${finePercent(failed.allowed)}): ${Object.entries(failed.reasons).map(([reason, n]) => `${reason} ${n}`).join(', ')}`,
    [`The rows that were labelled are in ${dir}/rows.jsonl, the reasons in ${dir}/failures.jsonl.`, 'The same command asks again what a server did not answer, and nothing else.', 'If so many may fail: allowedFailures=SHARE.'],
  );
}

interface Opener {
  respondent(options: JudgeOptions): Promise<Respondent>;
  close(): Promise<void>;
}

/** Opens who can be asked; local ones share an engine. */
function createOpener(out: Output): Opener {
  let engine: Engine | undefined;
  const open: Respondent[] = [];
  return {
    async respondent(options) {
      if (typeof options !== 'string' && options.local !== undefined) engine ??= await startEngine();
      const respondent = await openRespondent(options, { log: (line) => out.note(line), ...(engine === undefined ? {} : { engine }) });
      open.push(respondent);
      return respondent;
    },
    async close() {
      for (const respondent of open) await respondent.close();
      await engine?.close();
    },
  };
}
