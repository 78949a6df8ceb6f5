/** `heed report`: writes a run's report again, also while the run goes on; or an index of the runs in a folder. */
import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('report')
    .description("write a run's report.html again, also while the run goes on; of a folder of runs, such as runs/, write index.html")
    .addHelpText('after', examples('heed report runs/cut', 'heed report runs'))
    .argument('<folder>', 'the run folder, or a folder of runs')
    .action(async (folder: string) => {
      const [{ writeReport }, { holdsRuns, writeIndex }] = await Promise.all([
        import('../run/report/write.js'), import('../run/report/index-page.js'),
      ]);
      if (await holdsRuns(folder)) {
        const index = await writeIndex(folder);
        return out.result({ index }, `The index is ${index}`);
      }
      const path = await writeReport(folder);
      out.result({ report: path }, `The report is ${path}`);
    });
}
