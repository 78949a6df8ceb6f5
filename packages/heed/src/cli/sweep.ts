/** `heed sweep`: a recipe with every combination of some values, over several seeds, in one table. */
import type { Command } from 'commander';

import { Reported } from './errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';

interface Options { readonly metric?: string; readonly dryRun?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('sweep')
    .description('run a recipe of heed train or heed align with every combination of some values, and show them in one table')
    .addHelpText('after', examples(
      'heed sweep recipes/cut.yaml method.lambda=1.1,1.2,1.5 train.seed=0,1,2 data.eval=0.2',
      'heed sweep recipes/cut-online.yaml train.learningRate=1e-4,4e-4 run.dir=runs/rates --metric satisfied,medianWords',
    ))
    .argument('<recipe>', 'a YAML recipe, such as recipes/cut.yaml')
    .argument('<overrides...>', 'recipe values: key=value,value for what varies, key=value for what holds in every run')
    .option('--metric <names>', 'measurements to show first, with commas (default: the one that the runs are about)')
    .option('--dry-run', 'list the runs with what is there of them, their rows, steps, time and memory; run nothing')
    .action(async (file: string, overrides: string[], { metric = '', dryRun = false }: Options) => {
      const { planSweep } = await import('../sweep/plan.js');
      const plan = await planSweep(file, overrides);
      for (const note of plan.notes) out.note(note);
      const wanted = metric.split(',').map((name) => name.trim()).filter((name) => name !== '');
      const [{ renderForesight, renderSweep }, { requireMeasurements, writeSweepReport }] = await Promise.all([
        import('./render-sweep.js'), import('../sweep/report.js'),
      ]);
      await requireMeasurements(plan, wanted);
      if (dryRun) {
        const { foreseeSweep, sharedResults } = await import('../sweep/foresee.js');
        const runs = await foreseeSweep(plan, (line) => out.note(line));
        const shared = await sharedResults(plan);
        out.result({ sweep: plan.dir, runs, shared }, renderForesight(plan, runs, shared));
        return;
      }
      const [{ runSweep }, { createProgress }, { onInterrupt }] = await Promise.all([
        import('../sweep/run.js'), import('../run/progress.js'), import('../run/signals.js'),
      ]);
      const interrupt = onInterrupt();
      try {
        const runs = await runSweep(plan, {
          progress: createProgress(), interrupt, say: (line) => out.note(line),
          async onEnded(sofar) { await writeSweepReport(plan, sofar, wanted); },
        });
        const report = await writeSweepReport(plan, runs, wanted);
        for (const note of report.notes) out.note(note);
        const settings = report.settings.map((one) => ({ ...one, runs: one.runs.map(({ name }) => name) }));
        out.result({ sweep: plan.dir, ...report, settings, runs }, renderSweep(plan, runs, report));
        const failed = runs.filter(({ state }) => state !== 'finished');
        if (failed.length > 0) throw new Reported(`${failed.length} of ${runs.length} runs have not finished.`);
        if (report.missing.length > 0) throw new Reported(`--metric: no run has ${report.missing.join(', ')}.`);
      } finally {
        interrupt.dispose();
      }
    });
}
