/** `heed cluster install`: what workers on this machine need. */
import { Argument, type Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('cluster')
    .description('get ready for cluster=local:N, workers on this machine')
    .addArgument(new Argument('<action>', 'install: make a Python environment with Ray in the cache').choices(['install']))
    .addHelpText('after', examples('heed cluster install'))
    .action(async () => {
      const { installEnvironment } = await import('../cluster/environment.js');
      const folder = await installEnvironment((line) => out.note(line));
      out.result({ folder }, `Ray is ready: ${folder}`);
    });
}
