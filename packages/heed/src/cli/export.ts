/** `heed export`: an adapter for other tools: alone or merged into its model. */
import { type Command, Option } from 'commander';
import type { ExportForm, ExportOptions } from './export-forms.js';
import { examples } from './help.js';
import type { Output } from './output.js';

const FORMS: readonly ExportForm[] = ['peft', 'safetensors', 'hf', 'gguf-lora', 'gguf', 'ollama'];
const TYPES = ['f16', 'q8_0'] as const;

export function register(program: Command, out: Output): void {
  program
    .command('export')
    .description('write an adapter for other tools: for PEFT, the Hugging Face hub, llama.cpp, Ollama; alone or merged into its model')
    .addHelpText('after', examples(
      'heed export --adapter runs/cut --to safetensors -o merged', 'heed export --adapter runs/cut --to gguf --type q8_0 -o cut.gguf',
    ))
    .option('--model <model>', 'the base: a folder, a .gguf file, a hub id (default: as the adapter says)')
    .requiredOption('--adapter <folder>', 'the adapter: the folder of a run, or one that PEFT wrote')
    .addOption(
      new Option(
        '--to <form>', 'peft, gguf-lora: the adapter alone, for PEFT or llama.cpp; safetensors, gguf: the whole model with it merged in; '
          + 'hf: for the hub, with a model card; ollama: a Modelfile, and what it names',
      ).choices(FORMS).makeOptionMandatory(),
    )
    .requiredOption('-o, --output <path>', 'the folder to write (the .gguf file, with --to gguf or gguf-lora); it must not be there yet')
    .option('--base <id>', 'the base that others load under the adapter: with peft and hf a hub id, with ollama one of its models')
    .option('--merged', 'with --to hf: the whole model with the adapter merged in')
    .addOption(new Option('--type <type>', 'with --to gguf or ollama: 16 bits a weight, or 8 (default: f16)').choices(TYPES))
    .action(async ({ model, adapter: from, to, ...options }: ExportOptions & { model?: string; adapter: string; to: ExportForm }) => {
      const [{ openBase }, { openCheckpoint }, { loadAdapter }, { requireFitting, WRITE }] = await Promise.all([
        import('./base.js'), import('../model/checkpoint/open.js'), import('../model/peft.js'), import('./export-forms.js'),
      ]);
      requireFitting(to, options);
      const checkpoint = await openBase({ model }, [from], (of) => openCheckpoint(of.model, { log: (line) => out.note(line) }));
      const adapter = await loadAdapter(from, checkpoint);
      const whole = await WRITE[to]({ ...options, from, checkpoint, adapter });
      const { size: parameters, modules: { size: modules } } = adapter.plan;
      const line = whole ? `${checkpoint.id} with the adapter merged in is in ${options.output}`
        : `The adapter (${parameters} parameters on ${modules} modules) is in ${options.output}`;
      out.result({ output: options.output, to, model: checkpoint.id, modules, parameters }, line);
    });
}
