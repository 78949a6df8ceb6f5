/** `heed engine install cuda`: engines that the npm package does not bring. */
import { Argument, type Command } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('engine')
    .description('fetch an engine that the npm package does not bring')
    .addArgument(new Argument('<action>', 'install: into the cache, and nowhere else').choices(['install']))
    .addArgument(new Argument(
      '<name>', "cuda: NVIDIA's GPUs on Linux x64; 250 MB to fetch, and 520 MB more where this machine has no CUDA libraries",
    ).choices(['cuda']))
    .addHelpText('after', examples('heed engine install cuda'))
    .action(() => installsCuda(out));
}

const MB = 1e6;

async function installsCuda(out: Output): Promise<void> {
  const [{ installCuda }, { createProgress }] = await Promise.all([import('../model/cuda/install.js'), import('../run/progress.js')]);
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
