/** `heed export`: writes an adapter for other tools, as PEFT's folder or merged into its model. */
import type { Command } from 'commander';
import { Option } from 'commander';

import { examples } from './help.js';
import type { Output } from './output.js';

interface Options {
  readonly model?: string;
  readonly adapter: string;
  readonly to: 'peft' | 'safetensors';
  readonly output: string;
  readonly base?: string;
}

export function register(program: Command, out: Output): void {
  program
    .command('export')
    .description('write an adapter for other tools: as PEFT loads it, or merged into its model')
    .addHelpText('after', examples('heed export --adapter runs/cut --to safetensors -o merged'))
    .option('--model <model>', 'the base: a folder, a .gguf file, a hub id (default: as the adapter says)')
    .requiredOption('--adapter <folder>', 'the adapter: the folder of a run, or one that PEFT wrote')
    .addOption(
      new Option('--to <form>', 'peft: the adapter alone; safetensors: the whole model with the adapter merged in')
        .choices(['peft', 'safetensors'])
        .makeOptionMandatory(),
    )
    .requiredOption('-o, --output <folder>', 'the folder to write; it must not hold a model yet')
    .option('--base <id>', 'with --to peft: the base model that PEFT loads (base_model_name_or_path)')
    .action(async ({ model, adapter: from, to, output, base }: Options) => {
      const [{ openBase }, { openCheckpoint }, { loadAdapter, saveAdapter }, fs] = await Promise.all([
        import('./base.js'),
        import('../model/checkpoint/open.js'),
        import('../model/peft.js'),
        import('node:fs'),
      ]);
      const { UserError } = await import('../errors.js');
      if (to === 'safetensors' && base !== undefined) {
        throw new UserError('--base says what PEFT loads under the adapter; a merged model has no base.');
      }
      const checkpoint = await openBase({ model }, [from], (base) => openCheckpoint(base.model, { log: (line) => out.note(line) }));
      const adapter = await loadAdapter(from, checkpoint);
      if (to === 'peft') {
        if (fs.existsSync(output) && fs.readdirSync(output).length > 0) {
          throw new UserError(`The folder ${output} is not empty.`, ['Remove it, or name another folder with --output.']);
        }
        await saveAdapter(output, { ...adapter, checkpoint, modelId: base ?? checkpoint.id });
      } else {
        const [{ exportMerged }, { mergedTensors }, { createProgress }] = await Promise.all([
          import('../model/export.js'), import('../model/merge-host.js'), import('../run/progress.js'),
        ]);
        const progress = createProgress();
        progress.start('merging', adapter.plan.modules.size, { unit: 'modules' });
        try {
          await exportMerged(checkpoint, mergedTensors(checkpoint, adapter, (done) => progress.update(done)), output);
        } finally {
          progress.stop();
        }
      }
      const { size: parameters, modules: { size: modules } } = adapter.plan;
      const alone = `The adapter (${parameters} parameters on ${modules} modules) is in ${output}`;
      const merged = `${checkpoint.id} with the adapter merged in is in ${output}`;
      out.result({ output, to, model: checkpoint.id, modules, parameters }, to === 'peft' ? alone : merged);
    });
}
