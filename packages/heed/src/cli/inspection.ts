/** What `heed inspect` finds out: the data's doctor, and rows as the model sees them. */
import { z } from 'zod';

import { type DoctorReport, examine } from '../data/doctor.js';
import type { TokenLengths } from '../data/lengths.js';
import { fit } from '../data/limit.js';
import { type LoadedData, loadData } from '../data/load.js';
import { type Problem, problemsError } from '../data/problem.js';
import type { AnyRow, PromptRow, RowKind } from '../data/rows.js';
import { type Source, at } from '../data/source.js';
import { UserError } from '../errors.js';
import { AlignRecipe } from '../loop/recipe.js';
import { type MethodOptions, methodOf } from '../method/index.js';
import { type Model, loadModel } from '../model/load.js';
import type { Progress } from '../run/progress.js';
import { loadRecipe } from '../run/recipe.js';
import { createRespond } from '../text/respond.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { TrainRecipe } from '../train/recipe.js';
import type { SeenSequence } from './render-tokens.js';

/** A row as the model sees it. */
export interface SeenRow {
  readonly source: Source;
  readonly id?: string;
  /** The method's own numbers. */
  readonly columns: Columns;
  readonly sequences: Readonly<Record<string, SeenSequence>>;
  /** By sequence: what data.maxTokens does to it. */
  readonly notes: Readonly<Record<string, string>>;
}

export interface Inspection {
  readonly recipe: string;
  readonly model: string;
  readonly template: 'chat' | 'alpaca';
  readonly method: string;
  readonly doctor: DoctorReport;
  readonly skipped: readonly Problem[];
  /** Rows that the method cannot learn from as they are (a tie; no positives yet). */
  readonly unfit: readonly Problem[];
  readonly rows: readonly SeenRow[];
}

type Columns = Readonly<Record<string, number | readonly number[]>>;

/** What is read of a recipe: the rows, and what is made of one. */
interface Seen {
  readonly recipe: TrainRecipe | AlignRecipe;
  readonly kind: RowKind;
  sequences(rows: readonly AnyRow[], index: number, model: Model): Readonly<Record<string, readonly TokenSequence[]>>;
  columns(row: AnyRow): Columns;
  unfit(row: AnyRow): string | undefined;
}

async function open(file: string, overrides: readonly string[]): Promise<Seen> {
  const { recipe: parts } = await loadRecipe(file, overrides, z.looseObject({}));
  if ('judge' in parts || 'loop' in parts) {
    const { recipe } = await loadRecipe(file, overrides, AlignRecipe);
    // There are no answers yet: the prompts are all there is to see.
    return { recipe, kind: 'prompt', sequences: (rows, index, { template }) => ({ prompt: [{ prompt: template.prompt((rows[index] as PromptRow).prompt), response: [] }] }), columns: () => ({}), unfit: () => undefined };
  }
  const { recipe } = await loadRecipe(file, overrides, TrainRecipe);
  const method = methodOf(recipe.method as MethodOptions);
  return { recipe, kind: method.row, sequences: (rows, index, { template }) => method.sequences(rows[index]!, createRespond(template), { rows, index }), columns: (row) => method.columnsOf(row), unfit: (row) => (method.uses(row) ? method.unfit(row) : `the row is left out: ${method.unused}`) };
}

/** Reads a recipe and its data as a run would, except that junk is always skipped: here it is listed, not an end. Trains nothing. */
export async function inspectRecipe(file: string, overrides: readonly string[], { rows: wanted, progress, say }: { readonly rows: number; readonly progress: Progress; say(line: string): void }): Promise<Inspection> {
  if (!Number.isInteger(wanted) || wanted < 0) throw new UserError(`--rows is ${wanted}; expected a whole number.`);
  const seen = await open(file, overrides);
  const { recipe, kind } = seen;
  const model = await loadModel(recipe.model, { ...(recipe.template === undefined ? {} : { template: recipe.template }), log: say });
  const data: LoadedData<AnyRow> = await loadData({ ...recipe.data, junk: 'skip' }, kind);
  const context = model.architecture.context;
  const maxTokens = Math.min(recipe.data.maxTokens ?? context, context);

  const refused: Problem[] = [];
  const unfit: Problem[] = [];
  const lengths: TokenLengths[] = [];
  const rows: SeenRow[] = [];
  progress.start('counting tokens', data.train.length, { unit: 'rows' });
  for (const [index, row] of data.train.entries()) {
    // A turn of the event loop now and then, so that the progress can be drawn and Ctrl-C is heard.
    if (index % 64 === 63) await new Promise((done) => setImmediate(done));
    const reason = seen.unfit(row);
    if (reason !== undefined) {
      unfit.push({ source: row.source, reason });
      continue;
    }
    try {
      const sequences = Object.entries(seen.sequences(data.train, index, model)).flatMap(([name, list]) => list.map((s, i) => [list.length === 1 ? name : `${name} ${i + 1}`, s] as const));
      lengths.push(sequences.map(([, { prompt, response }]) => ({ prompt: prompt.length, response: response.length })).reduce((a, b) => (b.prompt + b.response > a.prompt + a.response ? b : a)));
      if (rows.length < wanted) rows.push(seenRow(row, sequences, seen.columns(row), model, { maxTokens, onLong: recipe.data.onLong }));
    } catch (error) {
      refused.push({ source: row.source, reason: error instanceof Error ? error.message : String(error) });
    }
    progress.update(index + 1);
  }
  progress.stop();
  if (refused.length > 0) throw problemsError(`${refused.length} of ${data.train.length} rows cannot be written in the ${model.template.name} template`, refused);
  return {
    recipe: file, model: model.checkpoint.id, template: model.template.name, method: recipe.method.name as string,
    doctor: examine(kind, data, { tokens: lengths, maxTokens }), skipped: data.skipped, unfit, rows,
  };
}

type Limits = { readonly maxTokens: number; readonly onLong: TrainRecipe['data']['onLong'] };

function seenRow(row: AnyRow, sequences: readonly (readonly [string, TokenSequence])[], columns: Columns, { tokenizer }: Model, { maxTokens, onLong }: Limits): SeenRow {
  const notes: Record<string, string> = {};
  const shown = sequences.map(([name, sequence]): [string, SeenSequence] => {
    const fitted = fit(sequence, maxTokens, onLong);
    if ('tooLong' in fitted) notes[name] = `${fitted.tooLong}: ${onLong === 'skip' ? 'the row is skipped' : 'a run would stop with an error'} (data.onLong: ${onLong})`;
    else if (fitted.cut > 0) notes[name] = `the first ${fitted.cut} tokens of the prompt are cut to fit data.maxTokens ${maxTokens}`;
    const { prompt, response } = 'tooLong' in fitted ? sequence : fitted.tokens;
    const ids = [...prompt, ...response];
    return [name, {
      ids, texts: ids.map((id) => tokenizer.tokenText(id)), promptTokens: prompt.length,
      supervised: [...prompt.map(() => false), ...(sequence.supervised ?? response.map(() => true))],
    }];
  });
  return { source: row.source, ...(row.id === undefined ? {} : { id: row.id }), columns, sequences: Object.fromEntries(shown), notes };
}

/** Where a row comes from, in one line. */
export const originOf = ({ source, id, columns }: SeenRow): string =>
  [at(source), ...(id === undefined ? [] : [`id ${id}`]), ...Object.entries(columns).map(([name, value]) => `${name} ${String(value)}`)].join('  ');
