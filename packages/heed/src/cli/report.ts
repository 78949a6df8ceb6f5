/** `heed report`: writes a run's report again, also while the run goes on. */
import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('report')
    .description("write a run's report.html again; works while the run goes on")
    .addHelpText('after', examples('heed report runs/cut'))
    .argument('<folder>', 'the run folder')
    .action(async (folder: string) => {
      const { writeReport } = await import('../run/report/write.js');
      const path = await writeReport(folder);
      out.result({ report: path }, `The report is ${path}`);
    });
}
