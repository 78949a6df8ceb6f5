/** `heed label`: a judge labels rows; a run folder of rows and a report comes of it. */
import type { Command } from 'commander';

import type { Output } from './output.js';

interface Options { readonly resume?: boolean; readonly overwrite?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('label')
    .description('have a judge label data: preferences, scores, comparisons by principles, judgments, revisions')
    .argument('<recipe>', 'a YAML recipe, such as recipes/label-preferences.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as data.limit=100')
    .option('--resume', 'go on with the run in run.dir; the same happens without it')
    .option('--overwrite', 'remove the labels of another recipe from run.dir first; the store keeps its replies')
    .action(async (file: string, overrides: string[], { resume = false, overwrite = false }: Options) => {
      const [{ label }, { renderLabelReport }] = await Promise.all([import('./labelling.js'), import('../label/render-report.js')]);
      const { report, run } = await label({ file, overrides, resume, overwrite, out });
      out.result({ ...report, run }, `${renderLabelReport(report)}\n\nrows:    ${run}/rows.jsonl\nreport:  ${run}/report.html`);
    });
}
