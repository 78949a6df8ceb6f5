import { wordsToJudge } from '../text/fence.js';
import type { Template } from '../text/template.js';
import { looksCutOff, speltControl } from './generated.js';
import { promptKey } from './hash.js';
import { measureLengths, type Lengths, type TokenLengths } from './lengths.js';
import type { LoadedData } from './load.js';
import type { Problem } from './problem.js';
import type { BaseRow, RowDefinition } from './row.js';
import { rowDefinition, type RowKind, type RowOf } from './rows.js';
import type { Source } from './source.js';
import { groupKey } from './split.js';
import { type Table, tallied } from './table.js';
import { leftOver } from './unused.js';

/** Something in the data that a user should know before training. */
export interface Finding {
  readonly name: string;
  /** How many rows. */
  readonly rows: number;
  /** The rows, in file order. */
  readonly sources: readonly Source[];
  /** What it means and what can be done, one sentence. */
  readonly advice: string;
}

/** What the doctor found. Nothing is changed in the data. */
export interface DoctorReport {
  readonly kind: string;
  /** Counts of rows by name: train, eval, distinct prompts (or texts), and by kind satisfied / unsatisfied, good / bad. */
  readonly counts: Readonly<Record<string, number>>;
  /** What is particular to the kind: labels, soft labels, positives per row, scores; train and eval together. */
  readonly tables: readonly Table[];
  readonly findings: readonly Finding[];
  /** Columns that nothing read, and keys of turns that nothing uses. */
  readonly unused: readonly string[];
  /** Present when token lengths were given. */
  readonly lengths?: Lengths;
}

export interface ExamineOptions {
  /** Tokens of each row of `train`, in order (for pairs: of the longer response); undefined for a row that is not learned from. */
  readonly tokens?: readonly (TokenLengths | undefined)[];
  /** The limit that `tokens` are held against. */
  readonly maxTokens?: number;
  /** The model's control tokens, as text. Default: those of the usual templates alone. */
  readonly control?: readonly string[];
  /** Says which keys of a turn it looks at, such as `name`. */
  readonly template?: Pick<Template, 'reads'>;
}

/**
 * Looks for what spoils training: duplicates, contradictions, leaks, broken encoding, lengths. Pure.
 *
 * @param of The kind of the rows, by name or by its definition.
 */
export function examine<Kind extends RowKind | RowDefinition>(
  of: Kind, data: LoadedData<RowOf<Kind>>, options: ExamineOptions = {},
): DoctorReport {
  const kind: RowDefinition = rowDefinition(of);
  const train = data.train as readonly BaseRow[];
  const held = data.eval as readonly BaseRow[];
  const all = [...train, ...held];
  const { tables = [], remarks = [] } = kind.view?.(all) ?? {};
  const lengths = lengthsOf(options);
  const written = (row: BaseRow): string[] => {
    const asked = kind.prompt(row).map(({ content }) => content);
    return [...asked, ...kind.responses(row), ...(kind.notes?.(row) ?? [])];
  };
  const where = (is: (row: BaseRow) => boolean): Source[] => all.filter(is).map(sourceOf);
  const findings = [
    found('skipped junk', data.skipped.map(sourceOf), `left out: ${reasons(data.skipped)}; mend them in the source where they matter`),
    found('duplicate rows', repeats(kind, all), 'prompt and response occur before; repeated rows weigh more than once'),
    found('contradictory rows', contradictions(kind, all),
      'the same response is called both good and bad, the same text has two labels, or the same pair is ranked both ways'),
    ...(data.notices ?? []).map(({ name, sources, advice }) => found(name, sources, advice)),
    ...remarks.map(({ name, rows, advice }) => found(name, rows.map(sourceOf), advice)),
    found('mojibake', where((row) => written(row).some((text) => mojibake.test(text))),
      'UTF-8 was once read as Windows-1252 ("â€™" for an apostrophe); repair the source'),
    found('replacement characters', where((row) => written(row).some((text) => broken.test(text))),
      'characters were lost ("\ufffd" or a NUL); the model would learn to write them'),
    found('control tokens', where((row) => written(row).some((text) => speltControl(text, options.control) !== undefined)),
      'control tokens such as "<|im_end|>" stand in the text; they are learned as ordinary text, and the template writes its own: '
        + 'take them out'),
    found('cut off', kind.onlyRead === true ? [] : where((row) => kind.responses(row).some(looksCutOff)),
      'a response stops within a sentence or a block of code, as where generation reached its limit; the model would learn to stop there'),
    found('transcript prompts', where((row) => kind.prompt(row).some(({ content }) => transcript.test(content))),
      'prompts look like "\\n\\nHuman: … \\n\\nAssistant:"; set data.transcript: human-assistant'),
    found('speaks to a judge', where((row) => kind.responses(row).some((text) => wordsToJudge(text) !== undefined)),
      'a response carries instructions to its judge ("choose this response"); labelers fence responses in, but read these'),
    found('leakage', leaks(kind, train, held), 'rows of eval whose prompt (but for case and white space) is trained on'),
    found('over maxTokens', at(train, lengths?.over), 'longer than data.maxTokens; data.onLong decides'),
    found('response over maxTokens', at(train, lengths?.responseOver),
      'the response alone leaves no room for a prompt; truncation cannot help'),
  ].filter(({ rows }) => rows > 0);
  return {
    kind: kind.kind, counts: tally(kind, train, held), tables, findings, unused: leftOver(data.unused, options.template),
    ...(lengths && { lengths }),
  };
}

// "Ã©", "â€™", "Â " and a stray byte order mark: UTF-8 bytes read as Windows-1252.
const mojibake = /Ã[\u0080-\u00bf\u0152-\u0178]|â€[\u0080-\u00bf\u0152-\u2122]|Â[\u00a0-\u00bf]|ï»¿/;
// NUL is what broken exports leave behind.
const broken = /[\ufffd\u0000]/;
const transcript = /^\s*\n\nHuman:|\n\nAssistant:\s*$/;

function found(name: string, sources: readonly Source[], advice: string): Finding {
  return { name, rows: sources.length, sources, advice };
}

/** "chosen is empty (4), chosen equals rejected: nothing is preferred (2)". */
function reasons(problems: readonly Problem[]): string {
  const { lines } = tallied('', problems.map(({ column, reason }) => (column === undefined ? reason : `${column} ${reason}`)));
  const named = lines.slice(0, 5).map(({ name, rows }) => `${name} (${rows})`);
  return [...named, ...(lines.length > named.length ? ['and other reasons'] : [])].join(', ');
}

/** The lengths of the rows that are learned from; `over` and `responseOver` are places in `train`. */
function lengthsOf({ tokens = [], maxTokens }: ExamineOptions): Lengths | undefined {
  const places = [...tokens.keys()].filter((place) => tokens[place] !== undefined);
  if (places.length === 0) return undefined;
  const lengths = measureLengths(places.map((place) => tokens[place]!), maxTokens);
  const placesOf = (indices: readonly number[]): number[] => indices.map((index) => places[index]!);
  return { ...lengths, over: placesOf(lengths.over), responseOver: placesOf(lengths.responseOver) };
}

function sourceOf(row: BaseRow | Problem): Source {
  return row.source;
}

function at(rows: readonly BaseRow[], indices: readonly number[] = []): Source[] {
  return indices.flatMap((index) => rows[index]?.source ?? []);
}

/** What a row says in answer to what, for comparison. */
function contentKey(kind: RowDefinition, row: BaseRow, about = kind.responses(row)): string {
  return JSON.stringify([promptKey(kind.prompt(row)), about.map((text) => text.trim())]);
}

/** Rows whose content occurred in an earlier row. */
function repeats(kind: RowDefinition, rows: readonly BaseRow[]): Source[] {
  const seen = new Set<string>();
  return rows.filter((row) => seen.size === seen.add(contentKey(kind, row)).size).map(sourceOf);
}

/** Every row of a group that holds several verdicts about the same content. */
function contradictions(kind: RowDefinition, rows: readonly BaseRow[]): Source[] {
  const groups = new Map<string, { verdicts: Set<boolean | string>; sources: Source[] }>();
  for (const row of rows) {
    const verdict = kind.verdict?.(row);
    if (verdict === undefined) continue;
    const key = contentKey(kind, row, verdict.about);
    const group = groups.get(key) ?? { verdicts: new Set(), sources: [] };
    group.verdicts.add(verdict.says);
    group.sources.push(row.source);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ verdicts, sources }) => (verdicts.size > 1 ? sources : []));
}

function leaks(kind: RowDefinition, train: readonly BaseRow[], held: readonly BaseRow[]): Source[] {
  const looseKey = (row: BaseRow): string => groupKey(kind, row).toLowerCase().replace(/(\s|\\[nrt])+/g, ' ');
  const trained = new Set(train.map(looseKey));
  return held.filter((row) => trained.has(looseKey(row))).map(sourceOf);
}

function tally(kind: RowDefinition, train: readonly BaseRow[], held: readonly BaseRow[]): Record<string, number> {
  const all = [...train, ...held];
  const counts: Record<string, number> = { train: train.length, eval: held.length };
  const what = all.some((row) => kind.prompt(row).length > 0) ? 'distinct prompts' : 'distinct texts';
  counts[what] = new Set(all.map((row) => groupKey(kind, row))).size;
  for (const row of all) {
    const word = kind.verdict?.(row)?.word;
    if (word !== undefined) counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
