/** `heed doctor gpu`: whether a GPU can be used here, and what is in the way. */
import type { Command } from 'commander';

import { Reported } from './errors.js';
import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('doctor')
    .description('look at what a GPU needs here, and say the first thing that is in the way')
    .argument('<what>', 'gpu')
    .addHelpText('after', examples('heed doctor gpu'))
    .action((what: string) => doctor(what, out));
}

async function doctor(what: string, out: Output): Promise<void> {
  const [{ UserError }, { lookForCuda }] = await Promise.all([import('../errors.js'), import('../model/cuda/look.js')]);
  if (what !== 'gpu') throw new UserError(`The doctor looks at a gpu, not at "${what}".`, ['Data are looked at by: heed inspect RECIPE']);
  const findings = lookForCuda();
  const last = findings.at(-1)!;
  out.result({ cuda: findings }, [
    'device: cuda',
    ...findings.map(({ what: name, good, found }) => `  ${good ? '✓' : '✗'} ${name}: ${found}`),
  ].join('\n'));
  if (!last.good) throw new Reported(last.advice);
}
