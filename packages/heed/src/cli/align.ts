/** `heed align`: generate → judge → train, again and again. */
import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

interface Options { readonly resume?: boolean; readonly overwrite?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('align')
    .description('online alignment: the model answers, a reward rates the answers, the method trains, N times')
    .addHelpText('after', examples(
      'heed align recipes/cut-online.yaml',
      'heed align recipes/rloo.yaml loop.iterations=2 run.dir=runs/mine',
    ))
    .argument('<recipe>', 'a YAML recipe, such as recipes/cut-online.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as loop.iterations=2')
    .option('--resume', 'go on with the run in run.dir where it stopped')
    .option('--overwrite', 'remove the run in run.dir first')
    .action(async (file: string, overrides: string[], { resume = false, overwrite = false }: Options) => {
      const { align, renderAlignment } = await import('./alignment.js');
      const result = await align({ file, overrides, resume, overwrite, out });
      out.result(result, renderAlignment([result]));
    });
}
