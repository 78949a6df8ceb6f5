/** `heed doctor gpu`: whether a GPU can be used here, and what is in the way. */
import { Argument, type Command } from 'commander';

import { Reported } from './errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('doctor')
    .description('look at what a GPU needs here, and say the first thing that is in the way')
    .addArgument(new Argument('<what>', 'gpu: whether device: cuda would run here').choices(['gpu']))
    .addHelpText('after', examples('heed doctor gpu'))
    .action(() => looksForGpu(out));
}

async function looksForGpu(out: Output): Promise<void> {
  const { lookForCuda } = await import('../model/cuda/look.js');
  const findings = lookForCuda();
  const last = findings.at(-1)!;
  out.result({ cuda: findings }, [
    'device: cuda',
    ...findings.map(({ what: name, good, found }) => `  ${good ? '✓' : '✗'} ${name}: ${found}`),
  ].join('\n'));
  if (!last.good) throw new Reported(last.advice);
}
