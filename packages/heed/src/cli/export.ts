/** `heed export`: an adapter for other tools: alone or merged into its model. */
import { type Command, Option } from 'commander';
import type { RowsForm } from '../exchange/export-rows.js';
import type { ExportForm, ExportOptions } from './export-forms.js';
import { examples } from './help.js';
import type { Output } from './output.js';

const FORMS: readonly (ExportForm | RowsForm)[] = ['peft', 'safetensors', 'hf', 'gguf-lora', 'gguf', 'ollama', 'openai', 'trl'];
const TYPES = ['f16', 'q8_0'] as const;

export function register(program: Command, out: Output): void {
  program
    .command('export')
    .description('write an adapter, alone or merged into its model, for PEFT, the Hugging Face hub, llama.cpp or Ollama; or rows')
    .addHelpText('after', examples(
      'heed export --adapter runs/cut --to safetensors -o merged', 'heed export --adapter runs/cut --to gguf --type q8_0 -o cut.gguf',
    ))
    .option('--model <model>', 'the base: a folder, a .gguf file, a hub id (default: as the adapter says)')
    .option('--adapter <folder>', 'the adapter: the folder of a run, or one that PEFT wrote')
    .option('--rows <file>', 'in place of --adapter, with --to openai or trl: the rows')
    .addOption(
      new Option(
        '--to <form>', 'peft, gguf-lora: the adapter alone, for PEFT or llama.cpp; safetensors, gguf: the whole model with it merged in; '
          + 'hf: for the hub, with a model card; ollama: a Modelfile, and what it names; '
          + 'openai, trl: rows, as OpenAI\'s fine-tuning files or TRL\'s columns',
      ).choices(FORMS).makeOptionMandatory(),
    )
    .requiredOption('-o, --output <path>', 'the folder, or with --to gguf, gguf-lora, openai and trl the file; not there yet')
    .option('--base <id>', 'the base that others load under the adapter: with peft and hf a hub id, with ollama one of its models')
    .option('--merged', 'with --to hf: the whole model with the adapter merged in')
    .addOption(new Option('--type <type>', 'with --to gguf or ollama: 16 bits a weight, or 8 (default: f16)').choices(TYPES))
    .action((options: Options) => (isRowsForm(options.to) ? exportingRows({ ...options, to: options.to }, out) : exporting(options, out)));
}

interface Options extends ExportOptions {
  readonly model?: string;
  readonly adapter?: string;
  readonly rows?: string;
  readonly to: ExportForm | RowsForm;
}

const isRowsForm = (to: Options['to']): to is RowsForm => to === 'openai' || to === 'trl';

async function exporting({ model, adapter: from, rows, to, ...options }: Options, out: Output): Promise<void> {
  const [{ openBase }, { openCheckpoint }, { loadAdapter }, { requireFitting, WRITE }, { UserError }] = await Promise.all([
    import('./base.js'), import('../model/checkpoint/open.js'), import('../model/peft.js'), import('./export-forms.js'),
    import('../errors.js'),
  ]);
  if (isRowsForm(to) || rows !== undefined) throw new UserError('--rows needs --to openai or --to trl.');
  if (from === undefined) throw new UserError(`--to ${to} needs --adapter: the folder of a run, or one that PEFT wrote.`);
  requireFitting(to, options);
  const checkpoint = await openBase({ model }, [from], (of) => openCheckpoint(of.model, { log: (line) => out.note(line) }));
  const adapter = await loadAdapter(from, checkpoint);
  const whole = await WRITE[to]({ ...options, from, checkpoint, adapter });
  const { size: parameters, modules: { size: modules } } = adapter.plan;
  const line = whole ? `${checkpoint.id} with the adapter merged in is in ${options.output}`
    : `The adapter (${parameters} parameters on ${modules} modules) is in ${options.output}`;
  out.result({ output: options.output, to, model: checkpoint.id, modules, parameters }, line);
}

async function exportingRows(
  { rows: file, to, output, adapter, model, base, merged, type }: Options & { readonly to: RowsForm }, out: Output,
): Promise<void> {
  const [{ existsSync }, { exportRows }, { atomicWrite }, { UserError }] = await Promise.all([
    import('node:fs'), import('../exchange/export-rows.js'), import('../run/files.js'), import('../errors.js'),
  ]);
  if (file === undefined) throw new UserError(`--to ${to} writes rows: name their file with --rows.`);
  if ([adapter, model, base, merged, type].some((one) => one !== undefined)) {
    throw new UserError(`--to ${to} writes rows; options about an adapter or a model are not used.`);
  }
  if (existsSync(output)) throw new UserError(`${output} is there already.`, ['Name another file, or remove it.']);
  const { kind, rows, left } = await exportRows(file, to);
  await atomicWrite(output, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const lost = Object.entries(left).map(([what, times]) => `  ${to} has no place for: ${times} × ${what}`);
  out.result({ output, to, kind, rows: rows.length, left }, [`${rows.length} ${kind} rows are in ${output}`, ...lost].join('\n'));
}
