/** `heed inspect`: data as the model sees it, before anything is trained. */
import type { Command } from 'commander';

import type { Output } from './output.js';
import { number } from './model-flags.js';

export function register(program: Command, out: Output): void {
  program
    .command('inspect')
    .description("show the data doctor's report and the first rows as tokens, learned ones marked; or, of a label recipe, what to label")
    .argument('<recipe>', 'a YAML recipe, such as recipes/cut.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as data=mine.jsonl')
    .option('--rows <n>', 'how many rows to show', number, 3)
    .action(async (file: string, overrides: string[], { rows }: { rows: number }) => {
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
