/** `heed inspect`: data as the model sees it, before anything is trained. */
import { statSync } from 'node:fs';

import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';
import { number } from './model-flags.js';

export function register(program: Command, out: Output): void {
  program
    .command('inspect')
    .summary('show what the data doctor finds, and the first rows as the model sees them')
    .description(
      "show the data doctor's report and the first rows as tokens, learned ones marked; of a label recipe, what to label; of a policy "
        + "gradient's run, the best, median and worst answer with the advantages of their tokens",
    )
    .addHelpText('after', examples('heed inspect recipes/cut.yaml data=mine.jsonl', 'heed inspect runs/rloo --round 2'))
    .argument('<recipe>', "a YAML recipe, such as recipes/cut.yaml, or a run's folder")
    .argument('[overrides...]', 'recipe values: key=value, such as data=mine.jsonl')
    .option('--rows <n>', 'how many rows to show', number, 3)
    .option('--round <n>', 'of a run: which round (default: the last)', number)
    .action(async (file: string, overrides: string[], { rows, round }: { rows: number; round?: number }) => {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
        const { inspectRollouts, renderRollouts } = await import('./rollout-inspection.js');
        const found = await inspectRollouts(file, round, (line) => out.note(line));
        out.result(found, renderRollouts(found, out.terminal?.colour ?? false));
        return;
      }
      const [{ inspectRecipe, renderInspection }, { createProgress }, { inspectLabels, renderLabelInspection }] = await Promise.all([
        import('./inspection.js'), import('../run/progress.js'), import('./label-inspection.js'),
      ]);
      const labels = await inspectLabels(file, overrides);
      if (labels !== undefined) {
        out.result(labels, renderLabelInspection(labels));
        return;
      }
      const progress = createProgress();
      try {
        const found = await inspectRecipe(file, overrides, { rows, progress, say: (line) => out.note(line) });
        out.result(found, renderInspection(found, out.terminal?.colour ?? false));
      } finally {
        progress.stop();
      }
    });
}
