import { type Fit, type OnLong, fit, fitAll } from '../data/limit.js';
import { type DataOptions, type LoadedData, loadData } from '../data/load.js';
import { type Problem, inOrder, problemsError } from '../data/problem.js';
import { UnfitError, UserError } from '../errors.js';
import { type AnyRow, isTie, rowDefinition } from '../data/rows.js';
import { at as place } from '../data/source.js';
import type { BoundMethod, Respond } from '../method/method.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { type Item, lengthOf, supervisedOf } from '../train/item.js';

/** Reads the rows that a method learns from. @throws UserError as `loadData` does */
export const loadRows = async (options: DataOptions, method: BoundMethod): Promise<LoadedData<AnyRow>> =>
  await loadData(options, method.row) as LoadedData<AnyRow>;

/** What rows must keep to. */
export interface Limits {
  readonly maxTokens: number;
  readonly onLong: OnLong;
  /** What becomes of rows that the method cannot learn from. Default: an error. */
  readonly junk?: 'error' | 'skip';
  /** What becomes of pairs of which neither response is better. Default: they are learnt from. */
  readonly ties?: 'learn' | 'skip' | 'error';
}

/**
 * The limits that a recipe sets for a method on a model.
 *
 * @throws UserError where it says what becomes of ties and the method learns from rows that have none
 */
export function limitsOf({ maxTokens, onLong, junk, ties }: DataOptions, method: BoundMethod, context: number): Limits {
  if (ties !== undefined && method.row !== 'preference') {
    const { kind } = rowDefinition(method.row);
    throw new UserError(`data.ties is ${ties}, but ${method.name} learns from "${kind}" rows, none of which is a tie; leave it out.`);
  }
  return { maxTokens: Math.min(maxTokens ?? context, context), onLong, junk, ties };
}

/** Rows made ready, and what became of those that were too long. */
export interface Prepared {
  readonly items: readonly Item[];
  readonly skipped: readonly Problem[];
  /** Rows of which a prompt was cut. */
  readonly truncated: number;
  /** Rows that the method has no use for. */
  readonly unused: number;
  /** Ties among the items. */
  readonly ties: number;
}

/**
 * Turns rows into tokens by a method and fits them into `maxTokens`. A row that supervises no token is an error: it would teach nothing
 * and hide a mistake. A row that the method cannot learn from (`unfit`: two equal responses, say) is an error, or with `junk: skip` skipped
 * and listed. So is a tie, as `ties` says.
 */
export function prepare(rows: readonly AnyRow[], method: BoundMethod, text: Respond, limits: Limits): Prepared {
  const unfit: Problem[] = [];
  const tied: Problem[] = [];
  let unused = 0;
  const problems: Problem[] = [];
  const refused: Problem[] = [];
  const ways = new Set<string>();
  const whole = rows.flatMap((row, index) => {
    if (!method.uses(row)) {
      unused++;
      return [];
    }
    if (isTie(row) && (limits.ties ?? 'learn') !== 'learn') {
      tied.push({ source: row.source, reason: 'it is a tie (soft_label 0.5)' });
      return [];
    }
    const reason = method.unfit(row);
    if (reason !== undefined) {
      unfit.push({ source: row.source, reason });
      return [];
    }
    const written = sequencesOf(row, index);
    if (written === undefined) return [];
    const same = madeEqual(method, written);
    if (same !== undefined) {
      unfit.push({ source: row.source, reason: same });
      return [];
    }
    const sequences = Object.entries(written).flatMap(([name, list]) => list.map((s, place) => ({ name, place, s })));
    const supervised = sequences.reduce((n, { s }) => n + supervisedOf(s), 0);
    if (supervised === 0) problems.push({ source: row.source, reason: 'supervises no token: nothing could be learned from it' });
    return [{ row, index, sequences }];
  });
  if (refused.length > 0) {
    throw problemsError(`${refused.length} of ${rows.length} rows cannot be written in the model's template`, refused, [...ways]);
  }
  if (problems.length > 0) throw problemsError(`${problems.length} of ${rows.length} rows teach nothing`, problems);
  if (unfit.length > 0 && limits.junk !== 'skip') {
    const way = limits.junk === undefined ? '' : '; data.junk: skip leaves them out and lists them';
    throw problemsError(`${unfit.length} of ${rows.length} rows are not for ${method.name}${way}`, unfit, [...ways]);
  }
  if (tied.length > 0 && limits.ties === 'error') {
    const way = 'data.ties: skip leaves them out and lists them, learn learns from them';
    throw problemsError(`${tied.length} of ${rows.length} rows are ties; ${way}`, tied);
  }

  // A row goes as a whole: a method's sequences only mean something together. The longest that does not fit speaks for its row.
  const fits = (tokens: TokenSequence): Fit => fit(tokens, limits.maxTokens, limits.onLong);
  const speakers = whole.map(({ row, sequences }, at) => {
    const tooLong = sequences.filter(({ s }) => 'tooLong' in fits(s));
    const { s } = (tooLong.length > 0 ? tooLong : sequences).reduce((a, b) => (lengthOf(b.s) > lengthOf(a.s) ? b : a));
    return { source: row.source, index: at, tokens: s };
  });
  const { kept, skipped } = fitAll(speakers, limits.maxTokens, limits.onLong);
  let truncated = 0;
  const items = kept.map(({ index: at }): Item => {
    const { row, index, sequences } = whole[at]!;
    const fitted = sequences.map(({ name, s }) => ({ name, s, ...(fits(s) as Extract<Fit, { readonly cut: number }>) }));
    if (fitted.some(({ cut }) => cut > 0)) truncated++;
    const named: Record<string, TokenSequence[]> = {};
    for (const { name, s, tokens } of fitted) (named[name] ??= []).push({ ...s, ...tokens });
    return { index, where: place(row.source), sequences: named, columns: method.columnsOf(row) };
  });
  const ties = items.filter(({ index }) => isTie(rows[index]!)).length;
  return { items, skipped: inOrder([...unfit, ...tied, ...skipped]), truncated, unused, ties };

  /** The tokens of a row; undefined, and the reason kept, where the template refuses it. */
  function sequencesOf(row: AnyRow, index: number): ReturnType<BoundMethod['sequences']> | undefined {
    try {
      return method.sequences(row, text, { rows, index });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const hint of error.hints) ways.add(hint);
      (error instanceof UnfitError ? unfit : refused).push({ source: row.source, reason: error.message });
      return undefined;
    }
  }
}

/** Why a row says nothing once it is tokens: the template makes two sequences equal that must differ. Else undefined. */
export function madeEqual(
  { apart }: Pick<BoundMethod, 'apart'>, sequences: Readonly<Record<string, readonly TokenSequence[]>>,
): string | undefined {
  if (apart === undefined) return undefined;
  const [better, worse] = apart;
  const tokens = ({ prompt, response }: TokenSequence): string => `${prompt.join()}|${response.join()}`;
  const others = new Set(sequences[worse]?.map(tokens));
  return sequences[better]?.some((one) => others.has(tokens(one))) === true
    ? `in tokens ${better} equals ${worse}: nothing is preferred` : undefined;
}

/**
 * For people: how many rows are learnt from, what became of the others, and the ties.
 *
 * @param given Rows that were read; rows of the file that are no rows of the method's kind are none of them.
 * @param chosen Rows that the method took, where it keeps good and bad ones in proportion. Default: all.
 */
export function describeRows(method: BoundMethod, given: number, prepared: Prepared, chosen = given): string[] {
  const { items, skipped, truncated, unused } = prepared;
  const counted = (n: number, what: string): string => (n === 0 ? '' : `, ${n} ${what}`);
  const others = [
    counted(given - chosen, 'satisfactory ones left out by method.ratio'), counted(skipped.length, 'skipped'),
    counted(truncated, 'prompts cut'), counted(unused, `left out: ${method.unused}`),
  ].join('');
  return [`${method.name}: ${items.length} of ${given} rows to learn from${others}.`, ...describeTies(prepared)];
}

/** For people: rows that stand in the data more than once. */
export const describeRepeated = ({ repeated = 0 }: Pick<LoadedData<AnyRow>, 'repeated'>): string[] =>
  (repeated === 0 ? [] : [
    `${repeated} ${repeated === 1 ? 'row repeats an earlier one and weighs' : 'rows repeat earlier ones and weigh'} more than once; `
      + 'data.duplicates: drop leaves such rows out.',
  ]);

/** For people: the ties that are learnt from. */
export const describeTies = ({ items, ties }: Prepared): string[] =>
  ties === 0 ? [] : [
    `${ties} of ${items.length} pairs ${ties === 1 ? 'is a tie' : 'are ties'} (soft_label 0.5): `
      + 'they pull the rewards together; data.ties: skip leaves them out.',
  ];

/** @throws UserError when the rows to learn from are, all together, nothing for the method (one class only, say). */
export function requireFit(method: BoundMethod, rows: readonly AnyRow[]): void {
  const reason = rows.length === 0 ? 'there are none' : method.unfitTogether(rows);
  if (reason !== undefined) throw new UserError(`${method.name} cannot learn from these rows: ${reason}.`);
}

/** @throws UserError when what is left of the rows to learn from, after those that were skipped, is nothing for the method */
export function requireKept(method: BoundMethod, rows: readonly AnyRow[], { items, skipped }: Prepared): void {
  if (items.length > 0) return requireFit(method, items.map(({ index }) => rows[index]!));
  if (skipped.length === 0) return requireFit(method, []);
  throw problemsError(`${method.name} cannot learn from these rows: all ${skipped.length} were left out`, skipped);
}

/** @throws UserError where rows should be held out and none is left: else the evaluation would be left out without a word */
export function requireHeld(rows: readonly AnyRow[], { items, skipped }: Prepared): void {
  if (rows.length > 0 && items.length === 0) throw problemsError(`data.eval: none of the ${rows.length} rows can be evaluated on`, skipped);
}
