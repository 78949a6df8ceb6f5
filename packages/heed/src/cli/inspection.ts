/** What `heed inspect` finds out: the data doctor's report, and rows as the model sees them. */
import { z } from 'zod';

import { type DoctorReport, examine } from '../data/doctor.js';
import type { TokenLengths } from '../data/lengths.js';
import { fit } from '../data/limit.js';
import { type LoadedData, loadData } from '../data/load.js';
import { type Problem, listProblems, problemsError } from '../data/problem.js';
import { renderDoctor } from '../data/render-doctor.js';
import type { RowDefinition } from '../data/row.js';
import type { AnyRow, PromptRow, RowKind } from '../data/rows.js';
import { type Source, at } from '../data/source.js';
import { UnfitError, UserError } from '../errors.js';
import { type AlignRecipe, loadAlignRecipe } from '../loop/align-recipe.js';
import { madeEqual } from '../loop/items.js';
import { type JudgmentFlags, judgmentFlags, renderFlags } from '../loop/judgment-flags.js';
import { openMethod } from '../loop/method-of.js';
import type { BoundMethod } from '../method/method.js';
import { type TrainRecipe, loadTrainRecipe } from '../loop/train-recipe.js';
import { openDeviceEngine } from '../model/device.js';
import { type Model, loadModel } from '../model/load.js';
import type { Progress } from '../run/progress.js';
import { loadRecipe } from '../run/recipe.js';
import { createRespond } from '../text/respond.js';
import { controlTokens } from '../text/template.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Column } from '../train/item.js';
import { type SeenSequence, legend, renderSequence } from './render-tokens.js';

/** A row as the model sees it. */
export interface SeenRow {
  readonly source: Source;
  readonly id?: string;
  /** The method's own numbers. */
  readonly columns: Columns;
  readonly sequences: Readonly<Record<string, SeenSequence>>;
  /** For each sequence: what data.maxTokens does to it. */
  readonly notes: Readonly<Record<string, string>>;
}

export interface Inspection {
  readonly recipe: string;
  readonly model: string;
  readonly template: 'chat' | 'alpaca';
  readonly method: string;
  readonly doctor: DoctorReport;
  readonly skipped: readonly Problem[];
  /** Whether `heed train` stops at such rows: data.junk is error. */
  readonly refused: boolean;
  /** Rows that the method has no use for, and why: of sft those that are not satisfactory. No fault of theirs. */
  readonly leftOut?: { readonly why: string; readonly rows: readonly Source[] };
  /** Rows that the method cannot learn from as they are, such as ties. */
  readonly unfit: readonly Problem[];
  /** Ways out for those, where there are any. */
  readonly ways: readonly string[];
  readonly rows: readonly SeenRow[];
  /** What stands in the way of learning from the rows, with the way out. */
  readonly hinders?: readonly string[];
  /** For a method that flags tokens by judgments: how often it flags the quoted words. */
  readonly flags?: JudgmentFlags;
}

type Columns = Readonly<Record<string, Column>>;

/** What a recipe says about its rows: their kind, and the sequences of each. */
interface Seen {
  readonly recipe: TrainRecipe | AlignRecipe;
  readonly kind: RowKind | RowDefinition;
  sequences(rows: readonly AnyRow[], index: number, model: Model): Readonly<Record<string, readonly TokenSequence[]>>;
  columns(row: AnyRow): Columns;
  /** The method that learns from the rows; none where they are prompts. */
  readonly method?: BoundMethod;
  unfit(row: AnyRow): string | undefined;
  /** Why a row says nothing once it is tokens, else undefined. */
  madeEqual(sequences: Readonly<Record<string, readonly TokenSequence[]>>): string | undefined;
}

async function open(file: string, overrides: readonly string[], say: (line: string) => void): Promise<Seen> {
  const { recipe: parts } = await loadRecipe(file, overrides, z.looseObject({}));
  if ('judge' in parts || 'loop' in parts) {
    const { recipe, notes = [] } = await loadAlignRecipe(file, overrides);
    for (const note of notes) say(note);
    return {
      recipe, kind: 'prompt', columns: () => ({}), unfit: () => undefined, madeEqual: () => undefined,
      // Nobody has answered yet: there are prompts alone.
      sequences(rows, index, { template }) {
        const { prompt } = rows[index] as PromptRow;
        return { prompt: [{ prompt: template.prompt(prompt), response: [] }] };
      },
    };
  }
  const { recipe, notes = [] } = await loadTrainRecipe(file, overrides);
  for (const note of notes) say(note);
  const method = await openMethod(recipe.method);
  return {
    recipe, method, kind: method.row, columns: (row) => method.columnsOf(row),
    unfit: (row) => method.unfit(row),
    madeEqual: (sequences) => madeEqual(method, sequences),
    sequences: (rows, index, { template }) => method.sequences(rows[index]!, createRespond(template), { rows, index }),
  };
}

type Named = readonly [name: string, sequence: TokenSequence];

/** The sequences of a row with their names; those of a list are numbered. */
const namedOf = (sequences: ReturnType<Seen['sequences']>): Named[] =>
  Object.entries(sequences).flatMap(([name, list]) => list.map((s, i): Named => [list.length === 1 ? name : `${name} ${i + 1}`, s]));

/** The lengths of the longest of these sequences. */
const longest = (sequences: readonly Named[]): TokenLengths =>
  sequences
    .map(([, { prompt, response }]) => ({ prompt: prompt.length, response: response.length }))
    .reduce((a, b) => (b.prompt + b.response > a.prompt + a.response ? b : a));

interface InspectOptions {
  /** How many rows to show. */
  readonly rows: number;
  readonly progress: Progress;
  say(line: string): void;
}

/** Reads a recipe and its data as a run would, but lists junk instead of stopping at it. Trains nothing. */
export async function inspectRecipe(file: string, overrides: readonly string[], options: InspectOptions): Promise<Inspection> {
  const { rows: wanted, progress, say } = options;
  if (!Number.isInteger(wanted) || wanted < 0) throw new UserError(`--rows is ${wanted}; expected a whole number.`);
  const seen = await open(file, overrides, say);
  const { recipe, kind } = seen;
  const { template, precision } = recipe;
  const model = await loadModel(recipe.model, { ...(template && { template }), ...(precision && { precision }), log: say });
  const data = await loadData({ ...recipe.data, junk: 'skip' }, kind) as LoadedData<AnyRow>;
  const context = model.architecture.context;
  const maxTokens = Math.min(recipe.data.maxTokens ?? context, context);

  const refused: Problem[] = [];
  const unfit: Problem[] = [];
  const leftOut: Source[] = [];
  const ways = new Set<string>();
  const lengths: (TokenLengths | undefined)[] = data.train.map(() => undefined);
  const rows: SeenRow[] = [];
  progress.start('counting tokens', data.train.length, { unit: 'rows' });
  for (const [index, row] of data.train.entries()) {
    // Now and then the event loop gets a turn, so that progress is drawn and Ctrl-C works.
    if (index % 64 === 63) await new Promise((done) => setImmediate(done));
    if (seen.method?.uses(row) === false) {
      leftOut.push(row.source);
      continue;
    }
    const reason = seen.unfit(row);
    if (reason !== undefined) {
      unfit.push({ source: row.source, reason });
      continue;
    }
    try {
      const found = seen.sequences(data.train, index, model);
      const same = seen.madeEqual(found);
      if (same !== undefined) {
        unfit.push({ source: row.source, reason: same });
        continue;
      }
      const sequences = namedOf(found);
      lengths[index] = longest(sequences);
      if (rows.length < wanted) {
        const limits = { maxTokens, onLong: recipe.data.onLong };
        rows.push({ source: row.source, id: row.id, columns: seen.columns(row), ...seenSequences(sequences, model, limits) });
      }
    } catch (error) {
      if (error instanceof UserError) for (const hint of error.hints) ways.add(hint);
      const kept = error instanceof UnfitError ? unfit : refused;
      kept.push({ source: row.source, reason: error instanceof Error ? error.message : String(error) });
    }
    progress.update(index + 1);
  }
  progress.stop();
  if (refused.length > 0) {
    const counts = `${refused.length} of ${data.train.length} rows`;
    throw problemsError(`${counts} cannot be written in the ${model.template.name} template`, refused, [...ways]);
  }
  const hinders = seen.method?.hinders(data.train) ?? [];
  const flags = seen.method?.flags === undefined ? undefined : await flagsOf(model, seen.method, data.train, progress);
  return {
    recipe: file, model: model.checkpoint.id, template: model.template.name, method: recipe.method.name,
    doctor: examine(kind, data, { tokens: lengths, maxTokens, template: model.template, control: controlTokens(model.tokenizer) }),
    skipped: data.skipped, refused: recipe.data.junk === 'error',
    ...(leftOut.length > 0 && { leftOut: { why: seen.method!.unused, rows: leftOut } }), unfit,
    ways: [...ways], rows, ...(hinders.length > 0 && { hinders }), ...(flags && { flags }),
  };
}

/** In an engine of its own: nothing else of an inspection needs one. */
async function flagsOf(model: Model, method: BoundMethod, rows: readonly AnyRow[], progress: Progress): Promise<JudgmentFlags | undefined> {
  const engine = await openDeviceEngine();
  try {
    return await judgmentFlags(engine, model, method, rows, progress);
  } finally {
    await engine.close();
  }
}

type Limits = { readonly maxTokens: number; readonly onLong: TrainRecipe['data']['onLong'] };

/** The tokens of a row as they are learned from, and what had to be done to make them fit. */
function seenSequences(
  sequences: readonly Named[], { tokenizer }: Model, { maxTokens, onLong }: Limits,
): Pick<SeenRow, 'sequences' | 'notes'> {
  const notes: Record<string, string> = {};
  const shown = sequences.map(([name, sequence]): [string, SeenSequence] => {
    const fitted = fit(sequence, maxTokens, onLong);
    const fate = onLong === 'skip' ? 'the row is skipped' : 'a run would stop with an error';
    if ('tooLong' in fitted) notes[name] = `${fitted.tooLong}: ${fate} (data.onLong: ${onLong})`;
    else if (fitted.cut > 0) notes[name] = `the first ${fitted.cut} tokens of the prompt are cut to fit data.maxTokens ${maxTokens}`;
    const { prompt, response } = 'tooLong' in fitted ? sequence : fitted.tokens;
    const ids = [...prompt, ...response];
    return [name, {
      ids, texts: ids.map((id) => tokenizer.tokenText(id)), promptTokens: prompt.length,
      supervised: [...prompt.map(() => false), ...(sequence.supervised ?? response.map(() => true))],
    }];
  });
  return { sequences: Object.fromEntries(shown), notes };
}

/** Where a row comes from, in one line. */
function originOf({ source, id, columns }: SeenRow): string {
  const numbers = Object.entries(columns).map(([name, value]) => `${name} ${String(value)}`);
  return [at(source), ...(id === undefined ? [] : [`id ${id}`]), ...numbers].join('  ');
}

function renderRow(row: SeenRow, index: number, colour: boolean): string[] {
  const sequences = Object.entries(row.sequences).flatMap(([name, sequence]) => [
    renderSequence(name, sequence, colour),
    ...(row.notes[name] === undefined ? [] : [`! ${row.notes[name]}`]),
  ]);
  return ['', `row ${index + 1}  ${originOf(row)}`, ...sequences];
}

/** The inspection as text. */
export const renderInspection = (
  { method, model, template, doctor, skipped, refused, leftOut, unfit, ways, hinders = [], flags, rows }: Inspection, colour: boolean,
): string => [
  `${method} on ${model}, ${template} template`,
  '',
  renderDoctor(doctor, unfit.length > 0),
  ...(skipped.length === 0 ? [] : [
    '', refused ? 'junk, at which training stops; data.junk: skip leaves it out:' : 'left out as junk:', listProblems(skipped),
  ]),
  ...(leftOut === undefined ? [] : ['', `${leftOut.rows.length} ${leftOut.rows.length === 1 ? 'row' : 'rows'} left out: ${leftOut.why}`]),
  ...(unfit.length === 0 ? [] : ['', `${method} cannot learn from these rows as they are:`, listProblems(unfit), ...ways]),
  ...(hinders.length === 0 ? [] : ['', ...hinders]),
  ...(flags === undefined ? [] : ['', ...renderFlags(flags)]),
  ...(rows.length === 0 ? [] : ['', legend(colour)]),
  ...rows.flatMap((row, i) => renderRow(row, i, colour)),
].join('\n');
