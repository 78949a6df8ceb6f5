/** `heed engine install cuda`: engines that the npm package does not bring. */
import type { Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('engine')
    .description('fetch an engine that the npm package does not bring')
    .argument('<action>', 'install: into the cache, and nowhere else')
    .argument('<name>', "cuda: NVIDIA's GPUs on Linux x64; 250 MB to fetch, and 520 MB more where this machine has no CUDA libraries")
    .addHelpText('after', examples('heed engine install cuda'))
    .action((action: string, name: string) => engine(action, name, out));
}

const MB = 1e6;

async function engine(action: string, name: string, out: Output): Promise<void> {
  const [{ UserError }, { installCuda }] = await Promise.all([import('../errors.js'), import('../model/cuda/install.js')]);
  if (action !== 'install' || name !== 'cuda')
    throw new UserError(`"heed engine ${action} ${name}" is not known.`, ['There is: heed engine install cuda']);
  const { createProgress } = await import('../run/progress.js');
  const progress = createProgress();
  let doing = '';
  const installed = await installCuda({
    log: (line) => out.note(line),
    onProgress({ what, done, total, of }) {
      if (doing !== `${what} ${of}`) progress.start((doing = `${what} ${of}`), Math.ceil(total / MB), { unit: 'MB' });
      progress.update(done / MB);
    },
  }).finally(() => progress.stop());
  out.result(installed, [
    `CUDA is in ${installed.folder}`,
    ...installed.libraries.map(({ name: library, place, from }) => `  ${library}: ${place}${from === 'wheel' ? '' : ' (of this machine)'}`),
    'Whether it runs here: heed doctor gpu. In a recipe: device: cuda',
  ].join('\n'));
}
