/** `heed models`: what can be loaded by name, and what is cached. */
import type { Command } from 'commander';

import { size } from '../run/numbers.js';
import { examples } from './help.js';
import type { Output } from './output.js';
import { table } from './output.js';

export function register(program: Command, out: Output): void {
  program
    .command('models')
    .description('what can be loaded, and what is cached')
    .addHelpText('after', examples('heed models'))
    .action(async () => {
      const [{ cacheFolder, listCached }, { ARCHITECTURES }, { DEFAULT_MODEL, KNOWN_MODELS }] = await Promise.all([
        import('../model/checkpoint/cache.js'),
        import('../model/architectures/index.js'),
        import('../model/checkpoint/known.js'),
      ]);
      const folder = cacheFolder();
      const cached = await listCached(folder);
      const architectures = ARCHITECTURES.map(({ type }) => type);
      const known = KNOWN_MODELS.map(({ name }) => name);
      const models = cached.map(({ id, bytes, source }) => [id, size(bytes), source]);
      const human = [
        models.length > 0 ? table([['cached', 'size', 'from'], ...models]) : 'Nothing is cached yet.',
        '',
        `cache:    ${folder}  (HEED_CACHE moves it)`,
        `default:  ${DEFAULT_MODEL}`,
        `by name:  ${known.join(', ')}`,
        `also:     a folder with config.json and safetensors, a .gguf file, a hub id (organisation/name)`,
        `families: ${architectures.join(', ')}`,
      ].join('\n');
      out.result({ cacheFolder: folder, default: DEFAULT_MODEL, known, architectures, cached }, human);
    });
}
