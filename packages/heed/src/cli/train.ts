/** `heed train`: learn from rows that are there. */
import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

interface Options { readonly resume?: boolean; readonly overwrite?: boolean; readonly dryRun?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('train')
    .description('train an adapter from a recipe')
    .addHelpText('after', examples(
      'heed train recipes/cut.yaml',
      'heed train recipes/dpo.yaml data=mine.jsonl train.steps=100 run.dir=runs/mine',
    ))
    .argument('<recipe>', 'a YAML recipe, such as recipes/cut.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as train.steps=100 data=mine.jsonl')
    .option('--resume', 'go on with the run in run.dir where it stopped')
    .option('--overwrite', 'remove the run in run.dir first')
    .option('--dry-run', 'check recipe and data and predict memory; train nothing')
    .action(async (file: string, overrides: string[], { resume = false, overwrite = false, dryRun = false }: Options) => {
      const { TRAIN_FREE, loadTrainRecipe } = await import('../loop/train-recipe.js');
      const { recipe, text, notes = [] } = await loadTrainRecipe(file, overrides);
      for (const note of notes) out.note(note);
      if (dryRun) {
        const { dryRunTraining, renderDryRun } = await import('../loop/dry-run.js');
        const result = await dryRunTraining(recipe, (line) => out.note(line));
        out.result(result, renderDryRun(result));
        return;
      }
      const [{ runTraining }, { openRun }, { createProgress }, { onInterrupt }, { renderChange }] = await Promise.all([
        import('../loop/train-job.js'), import('../run/folder.js'), import('../run/progress.js'), import('../run/signals.js'),
        import('./render-change.js'),
      ]);
      const run = await openRun(recipe.run.dir, { recipe: text, resume, overwrite, free: TRAIN_FREE });
      if (resume && !run.resuming) out.note(`There is no run in ${recipe.run.dir} to go on with: it begins.`);
      const interrupt = onInterrupt();
      try {
        const summary = await runTraining(recipe, run, { progress: createProgress(), interrupt, say: (line) => out.note(line) });
        const speed = Math.round(summary.tokens / summary.trainingSeconds);
        out.result(
          { run: run.dir, ...summary },
          [
            `${summary.method}: ${summary.steps} steps, loss of the last one ${summary.loss.toFixed(4)}, ${speed} tokens/s`,
            ...renderChange(summary),
            `adapter: ${run.adapterDir}`,
            `report:  ${run.path('report.html')}`,
          ].join('\n'),
        );
      } finally {
        interrupt.dispose();
        await run.close();
      }
    });
}
