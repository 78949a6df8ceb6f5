/** `heed inspect`: data as the model sees it, before anything is trained. */
import type { Command } from 'commander';

import type { Output } from './output.js';
import { number } from './model-flags.js';

export function register(program: Command, out: Output): void {
  program
    .command('inspect')
    .description("the data doctor's report, and the first rows as the model sees them: tokens, and which are learned; of a label recipe, what there is to label")
    .argument('<recipe>', 'a YAML recipe, such as recipes/cut.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as data=mine.jsonl')
    .option('--rows <n>', 'how many rows to show', number, 3)
    .action(async (file: string, overrides: string[], { rows }: { rows: number }) => {
      const [{ inspectRecipe, originOf }, { renderDoctor }, { listProblems }, { legend, renderSequence }, { createProgress }, { inspectLabels, renderToLabel }] = await Promise.all([
        import('./inspection.js'), import('../data/render-doctor.js'), import('../data/problem.js'), import('./render-tokens.js'), import('../run/progress.js'), import('./label-inspection.js'),
      ]);
      const labels = await inspectLabels(file, overrides);
      if (labels !== undefined) {
        out.result(labels, [
          `${labels.labeler} by ${labels.judge}`, '', renderDoctor(labels.doctor),
          ...(labels.skipped.length === 0 ? [] : ['', 'left out as junk:', listProblems(labels.skipped)]),
          '', renderToLabel(labels),
        ].join('\n'));
        return;
      }
      const progress = createProgress();
      try {
        const found = await inspectRecipe(file, overrides, { rows, progress, say: (line) => out.note(line) });
        const colour = out.terminal?.colour ?? false;
        out.result(found, [
          `${found.method} on ${found.model}, ${found.template} template`,
          '',
          renderDoctor(found.doctor),
          ...(found.skipped.length === 0 ? [] : ['', 'left out as junk:', listProblems(found.skipped)]),
          ...(found.unfit.length === 0 ? [] : ['', `not for ${found.method} as they are:`, listProblems(found.unfit)]),
          ...(found.rows.length === 0 ? [] : ['', legend(colour)]),
          ...found.rows.flatMap((row, i) => [
            '',
            `row ${i + 1}  ${originOf(row)}`,
            ...Object.entries(row.sequences).flatMap(([name, sequence]) => [
              renderSequence(name, sequence, colour),
              ...(row.notes[name] === undefined ? [] : [`! ${row.notes[name]}`]),
            ]),
          ]),
        ].join('\n'));
      } finally {
        progress.stop();
      }
    });
}
