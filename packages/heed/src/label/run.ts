/** `heed label` as a job: opens the store and the judge, labels, and closes what it opened. */
import { type OpenedEngine, openEngine } from '../cluster/open.js';
import { UserError } from '../errors.js';
import type { Respondent } from '../judge/respondent.js';
import { openRespondent } from '../judge/open.js';
import type { JudgeOptions } from '../judge/options.js';
import { clockOf } from '../run/clock.js';
import { closeAll } from '../run/close-all.js';
import type { ClusterSummary } from '../run/cluster-log.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { finePercent } from '../run/numbers.js';
import { silentProgress } from '../run/progress.js';
import { openLabeler } from './index.js';
import { labelRows, type LabelSummary } from './label-rows.js';
import type { LabelRecipe } from './recipe.js';
import { renderLabelReport } from './report.js';
import { openStore } from './store.js';
import type { CachedRespondent } from './usage.js';
import { cached } from './cached.js';
import { withProgress } from './with-progress.js';

/**
 * Labels the data of a recipe into a run folder (see `labelRows` for the files). The judge of the recipe is opened here, and whoever
 * writes the responses where the recipe has `answers`. Every reply is kept in the recipe's store, so the same recipe asks only what is
 * missing.
 *
 * @throws UserError where more rows failed than `allowedFailures`, after everything was written. Rows that wait for people count as none.
 * @throws Interrupted when the run was stopped. The same recipe goes on with it.
 */
export async function runLabelling(recipe: LabelRecipe, run: RunFolder, hooks: Hooks = {}): Promise<LabelSummary> {
  const { progress = silentProgress, interrupt = { requested: false }, say = () => undefined } = hooks;
  const { judge: judgedBy, answers } = recipe;
  const opener = createOpener(recipe, run, { progress, say });
  try {
    const store = await openStore(recipe.store);
    try {
      const judge = withProgress(cached(await opener.open(judgedBy), store), progress, interrupt, 'asking the judge');
      const sameModel = JSON.stringify(answers?.by) === JSON.stringify(judgedBy);
      const openWriter = async (by: JudgeOptions): Promise<CachedRespondent> =>
        withProgress(cached(await opener.open(by), store), progress, interrupt, 'answering the prompts');
      const writer = answers && (sameModel ? judge : await openWriter(answers.by));
      const summary = await labelRows(recipe, run, {
        judge, writer, stopped: () => interrupt.requested, cluster: () => opener.cluster(), say,
      });
      // What waits for people has not failed.
      const failed = summary.failed.rows - (summary.failed.reasons['waiting'] ?? 0);
      if (failed > summary.failed.allowed * summary.rows) {
        say(renderLabelReport(summary, await openLabeler(summary.labeler)));
        throw tooManyFailed(summary, run.dir);
      }
      return summary;
    } finally {
      store.close();
    }
  } finally {
    progress.stop();
    await opener.close();
  }
}

function tooManyFailed({ failed, rows }: LabelSummary, dir: string): UserError {
  const reasons = Object.entries(failed.reasons).map(([reason, n]) => `${reason} ${n}`).join(', ');
  return new UserError(
    `${failed.rows} of ${rows} rows failed (${finePercent(failed.share)}; allowedFailures is ${finePercent(failed.allowed)}): ${reasons}`,
    [
      `The rows that were labelled are in ${dir}/rows.jsonl, the reasons in ${dir}/failures.jsonl.`,
      'The same command asks again what a server did not answer, and nothing else.',
      'If so many may fail: allowedFailures=SHARE.',
    ],
  );
}

/** Opens respondents; local ones share an engine. */
function createOpener(
  { cluster, device }: Pick<LabelRecipe, 'cluster' | 'device'>, run: RunFolder,
  { progress, say }: Required<Pick<Hooks, 'progress' | 'say'>>,
): { open(options: JudgeOptions): Promise<Respondent>; cluster(): ClusterSummary | undefined; close(): Promise<void> } {
  const now = clockOf(run);
  let engine: OpenedEngine | undefined;
  const opened: Respondent[] = [];
  return {
    async open(options) {
      if (typeof options !== 'string' && options.local !== undefined)
        engine ??= await openEngine(cluster, { device, run, progress, say });
      const respondent = await openRespondent(options, { log: say, engine, now });
      opened.push(respondent);
      return respondent;
    },
    cluster: () => engine?.rates?.summary(),
    // The engine also where its workers are lost, and have nothing to release any more: they would keep the process alive.
    close: () => closeAll(...opened.map((respondent) => () => respondent.close()), () => engine?.close()),
  };
}
