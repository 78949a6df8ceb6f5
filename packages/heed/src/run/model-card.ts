/** The README.md of an adapter or a merged model for the Hugging Face hub: what it learned from, what was measured, how to load it. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { stringify, parse } from 'yaml';
import { isInterval, isSection, measurementOf, writerOf } from './report/measurements.js';

/** What a card is of. */
export interface CardOptions {
  /** The card's title. */
  readonly name: string;
  /** `adapter`: PEFT's folder; `merged`: a whole model. */
  readonly form: 'adapter' | 'merged';
  /** The base's id on the hub; undefined for one that is a folder or a file here. */
  readonly base?: string;
  /** The folder of the run that trained it. Default: the training is unknown. */
  readonly run?: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Writes the card as text: front matter, then Markdown. Paths of this machine are cut to their last part.
 *
 * @throws what reading the run's recipe and summary throws, unless they are not there
 */
export async function modelCard({ name, form, base, run }: CardOptions): Promise<string> {
  const [recipe, summary] = run === undefined ? [] : await Promise.all([
    textOf(path.join(run, 'recipe.yaml')).then((text) => text && (parse(text) as Json)),
    textOf(path.join(run, 'summary.json')).then((text) => text && (JSON.parse(text) as Json)),
  ]);
  const method = isSection(recipe) && isSection(recipe['method']) ? String(recipe['method']['name']) : undefined;
  const parts = [
    frontMatter(form, base, method), `# ${name}`, intro(form, base, method), ...(isSection(summary) ? measured(summary) : []),
    ...(isSection(summary) ? learned(summary, recipe) : []), loading(form, base), ...(isSection(recipe) ? recipeOf(recipe) : []),
    '## Licence\n\nThe licence of the base model applies, and the terms of the data that it learned from.',
  ];
  return `${parts.join('\n\n')}\n`;
}

async function textOf(file: string): Promise<string | undefined> {
  return fs.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}

function frontMatter(form: CardOptions['form'], base: string | undefined, method: string | undefined): string {
  const relation = form === 'adapter' ? 'adapter' : 'finetune';
  const tags = [
    ...(form === 'adapter' ? ['lora'] : []), 'transformers', 'heed', ...(method === undefined ? [] : [method]),
    ...(base === undefined ? [] : [`base_model:${relation}:${base}`]),
  ];
  const library = form === 'adapter' ? 'peft' : 'transformers';
  const about = { ...(base !== undefined && { base_model: base }), library_name: library, pipeline_tag: 'text-generation', tags };
  return `---\n${stringify(about)}---`;
}

function intro(form: CardOptions['form'], base: string | undefined, method: string | undefined): string {
  const what = form === 'adapter' ? 'A LoRA adapter' : 'A model with a LoRA adapter merged into its weights';
  const of = base === undefined ? '' : ` of [${base}](https://huggingface.co/${base})`;
  return `${what}${of}, trained with Heed${method === undefined ? '' : ` by the method \`${method}\``}.`;
}

/** Before, after and change, with 95 % intervals. */
function measured({ before, after, change, metric }: Json): string[] {
  const [was, is, by] = [before, after, change].map((part): Json => (isSection(part) ? part : {})) as [Json, Json, Json];
  const names = Object.keys(is);
  if (names.length === 0) return ['## Measured\n\nNothing was measured on held-out rows.'];
  const lines = names.map((name) => {
    const known = measurementOf(name), write = writerOf(known);
    const cell = (value: unknown, show: (value: number) => string): string => {
      if (isInterval(value)) {
        const rows = value.n === undefined ? '' : `, n = ${value.n}`;
        return `${show(value.mean)} (${show(value.low)} to ${show(value.high)}${rows})`;
      }
      return typeof value === 'number' ? show(value) : '';
    };
    return `| ${known.title} | ${cell(was[name], write.value)} | ${cell(is[name], write.value)} | ${cell(by[name], write.difference)} |`;
  });
  const about = typeof metric === 'string' ? `The chief measurement: ${withoutFolders(metric)}.\n\n` : '';
  const head = '| | before | after | change |\n|---|---|---|---|';
  return [`## Measured\n\n${about}On held-out rows, with 95 % intervals.\n\n${[head, ...lines].join('\n')}`];
}

function learned({ job, rows, skipped, heldOut, steps }: Json, recipe: unknown): string[] {
  const given = isSection(recipe) && isSection(recipe['data']) ? [recipe['data']['path']].flat() : [];
  const data = given.map((file) => path.basename(String(file)));
  const lines = [
    ...(data.length === 0 ? [] : [`* data: ${data.join(', ')}`]), `* rows: ${String(rows)}, and ${String(skipped)} that were left out`,
    ...(typeof heldOut === 'number' ? [`* rows held out: ${heldOut}`] : []), ...(typeof steps === 'number' ? [`* steps: ${steps}`] : []),
    `* job: heed ${String(job)}`,
  ];
  return [`## Learned from\n\n${lines.join('\n')}`];
}

function loading(form: CardOptions['form'], base: string | undefined): string {
  const id = JSON.stringify(base ?? 'FOLDER OF THE BASE');
  const code = form === 'adapter'
    ? [
      'from peft import PeftModel', 'from transformers import AutoModelForCausalLM, AutoTokenizer', '',
      `base = AutoModelForCausalLM.from_pretrained(${id})`, `tokenizer = AutoTokenizer.from_pretrained(${id})`,
      'model = PeftModel.from_pretrained(base, "FOLDER OF THIS ADAPTER")',
    ]
    : [
      'from transformers import AutoModelForCausalLM, AutoTokenizer', '',
      'model = AutoModelForCausalLM.from_pretrained("FOLDER OF THIS MODEL")',
      'tokenizer = AutoTokenizer.from_pretrained("FOLDER OF THIS MODEL")',
    ];
  const chat = form === 'adapter' ? 'npx heed chat --adapter FOLDER' : 'npx heed chat --model FOLDER';
  return `## Loading it\n\n\`\`\`python\n${code.join('\n')}\n\`\`\`\n\nOr with Heed: \`${chat}\`.`;
}

function recipeOf(recipe: Json): string[] {
  const rest = Object.fromEntries(Object.entries(recipe).filter(([key]) => key !== 'run'));
  const cut = (_key: string, value: unknown): unknown => (typeof value === 'string' ? withoutFolders(value) : value);
  const shown = JSON.parse(JSON.stringify(rest), cut) as Json;
  return [`## The recipe\n\n\`\`\`yaml\n${stringify(shown)}\`\`\``];
}

/** Whole paths, cut to their last part: folders of the machine that trained say nothing to others. */
const withoutFolders = (text: string): string =>
  text.replace(/(?<![\w.@~/\\-])(?:[A-Za-z]:[\\/]|~?\/)(?:[^\s"'\\/]+[\\/])+([^\s"'\\/]+)/g, '$1');
