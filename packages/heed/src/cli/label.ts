/** `heed label`: a judge labels rows; a run folder of rows and a report comes of it. */
import type { Command } from 'commander';

import { UserError } from '../errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';

interface Options { readonly resume?: boolean; readonly overwrite?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('label')
    .description('have a judge label data: preferences, scores, comparisons by principles, judgments, revisions')
    .addHelpText('after', examples('heed label recipes/label-preferences.yaml data=answers.jsonl'))
    .argument('<recipe>', 'a YAML recipe, such as recipes/label-preferences.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as data.limit=100')
    .option('--resume', 'go on with the run in run.dir; the same happens without it')
    .option('--overwrite', 'remove the labels of another recipe from run.dir first; the store keeps its replies')
    .action(async (file: string, overrides: string[], { resume = false, overwrite = false }: Options) => {
      if (resume && overwrite) throw new UserError('--resume and --overwrite contradict each other');
      const [{ LABEL_FREE, labelFiles, loadLabelRecipe }, { runLabelling }, { renderLabelReport }] = await Promise.all([
        import('../label/recipe.js'), import('../label/run.js'), import('../label/report.js'),
      ]);
      const [{ openRun }, { createProgress }, { onInterrupt }] = await Promise.all([
        import('../run/folder.js'), import('../run/progress.js'), import('../run/signals.js'),
      ]);
      const { recipe, text, labeler } = await loadLabelRecipe(file, overrides);
      // The store makes labelling again free of cost, so a run is always gone on with; another recipe in the folder is refused.
      const files = labelFiles(labeler);
      const run = await openRun(recipe.run.dir, { recipe: text, resume: !overwrite, overwrite, free: LABEL_FREE, files });
      const interrupt = onInterrupt((line) => out.note(line.replace('after this step and saving', 'and keeping what is labelled')));
      try {
        const summary = await runLabelling(recipe, run, { progress: createProgress(), interrupt, say: (line) => out.note(line) });
        const report = renderLabelReport(summary, labeler);
        out.result({ ...summary, run: run.dir }, `${report}\n\nrows:    ${run.dir}/rows.jsonl\nreport:  ${run.dir}/report.html`);
      } finally {
        interrupt.dispose();
        await run.close();
      }
    });
}
