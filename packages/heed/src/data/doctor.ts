import { wordsToJudge } from '../text/fence.js';
import { type Remark, viewOf } from './doctor-kinds.js';
import { promptKey } from './hash.js';
import { findsFault, looksLikePraise } from './judgment.js';
import type { LoadedData } from './load.js';
import { measureLengths, type Lengths, type TokenLengths } from './lengths.js';
import type { Problem } from './problem.js';
import type { AnyRow, RowKind, RowKinds } from './rows.js';
import type { Source } from './source.js';
import { groupKey, promptOfRow } from './split.js';
import { type Table, tallied } from './table.js';

/** Something in the data that a user should know before training. */
export interface Finding {
  readonly name:
    | 'skipped junk'
    | 'duplicate rows'
    | 'praise among negatives'
    | 'criticism of satisfied rows'
    | 'contradictory rows'
    | 'mojibake'
    | 'replacement characters'
    | 'transcript prompts'
    | 'speaks to a judge'
    | 'leakage'
    | 'over maxTokens'
    | 'response over maxTokens'
    | Remark['name'];
  /** How many rows. */
  readonly rows: number;
  /** The rows, in file order. */
  readonly sources: readonly Source[];
  /** What it means and what can be done, one sentence. */
  readonly advice: string;
}

/** What the doctor found. Nothing is changed in the data. */
export interface DoctorReport {
  readonly kind: RowKind;
  /** Rows by what they are: train, eval, distinct prompts (or texts), and per kind satisfied / unsatisfied, good / bad. */
  readonly counts: Readonly<Record<string, number>>;
  /** What is particular to the kind: labels, soft labels, positives per row, scores; train and eval together. */
  readonly tables: readonly Table[];
  readonly findings: readonly Finding[];
  /** Present when token lengths were given. */
  readonly lengths?: Lengths;
}

export interface ExamineOptions {
  /** Tokens of each row of `train`, in order (for pairs: of the longer response). */
  readonly tokens?: readonly TokenLengths[];
  /** The limit that `tokens` are held against. */
  readonly maxTokens?: number;
}

/** Looks for what spoils training: duplicates, contradictions, leaks, broken encoding, lengths. Pure. */
export function examine<K extends RowKind>(kind: K, data: LoadedData<RowKinds[K]>, options: ExamineOptions = {}): DoctorReport {
  const train: readonly AnyRow[] = data.train;
  const held: readonly AnyRow[] = data.eval;
  const all = [...train, ...held];
  const { tables = [], remarks = [] } = viewOf(kind, [...data.train, ...data.eval]);
  const lengths = options.tokens === undefined ? undefined : measureLengths(options.tokens, options.maxTokens);
  const findings = [
    found('skipped junk', data.skipped.map(sourceOf), `left out: ${reasons(data.skipped)}; mend them in the source where they matter`),
    found('duplicate rows', repeats(all), 'prompt and response occur before; repeated rows weigh more than once'),
    found('praise among negatives', all.filter(isPraisedNegative).map(sourceOf), 'the judgment opens with "perfect", yet the row counts as unsatisfactory; read them, then set satisfied: true or drop them'),
    found('criticism of satisfied rows', all.filter(isCriticisedPositive).map(sourceOf), 'the row says satisfied: true, yet its judgment finds fault; satisfied decides'),
    found('contradictory rows', contradictions(all), 'the same response is called both good and bad, the same text has two labels, or the same pair is ranked both ways'),
    ...remarks.map(({ name, rows, advice }) => found(name, rows.map(sourceOf), advice)),
    found('mojibake', all.filter((row) => textsOf(row).some((text) => mojibake.test(text))).map(sourceOf), 'UTF-8 was once read as Windows-1252 ("â€™" for an apostrophe); repair the source'),
    found('replacement characters', all.filter((row) => textsOf(row).some((text) => broken.test(text))).map(sourceOf), 'characters were lost ("\ufffd" or a NUL); the model would learn to write them'),
    found('transcript prompts', all.filter(isTranscript).map(sourceOf), 'prompts look like "\\n\\nHuman: … \\n\\nAssistant:"; set data.transcript: human-assistant'),
    found('speaks to a judge', all.filter((row) => responsesOf(row).some((text) => wordsToJudge(text) !== undefined)).map(sourceOf), 'a response carries instructions to whoever judges it ("choose this response"); labelers fence responses in, but read these'),
    found('leakage', leaks(train, held), 'rows of eval whose prompt (but for case and white space) is trained on'),
    found('over maxTokens', at(train, lengths?.over), 'longer than data.maxTokens; data.onLong decides'),
    found('response over maxTokens', at(train, lengths?.responseOver), 'the response alone leaves no room for a prompt; truncation cannot help'),
  ].filter(({ rows }) => rows > 0);
  return { kind, counts: tally(train, held), tables, findings, ...(lengths === undefined ? {} : { lengths }) };
}

// "Ã©", "â€™", "Â " and a stray byte order mark: UTF-8 bytes read as Windows-1252.
const mojibake = /Ã[\u0080-\u00bf\u0152-\u0178]|â€[\u0080-\u00bf\u0152-\u2122]|Â[\u00a0-\u00bf]|ï»¿/;
// NUL is what broken exports leave behind.
const broken = /[\ufffd\u0000]/;

function found(name: Finding['name'], sources: readonly Source[], advice: string): Finding {
  return { name, rows: sources.length, sources, advice };
}

/** "chosen is empty (4), chosen equals rejected: nothing is preferred (2)". */
function reasons(problems: readonly Problem[]): string {
  const { lines } = tallied('', problems.map(({ column, reason }) => (column === undefined ? reason : `${column} ${reason}`)));
  const named = lines.slice(0, 5).map(({ name, rows }) => `${name} (${rows})`);
  return [...named, ...(lines.length > named.length ? ['and other reasons'] : [])].join(', ');
}

function sourceOf(row: AnyRow | Problem): Source {
  return row.source;
}

function at(rows: readonly AnyRow[], indices: readonly number[] = []): Source[] {
  return indices.flatMap((index) => rows[index]?.source ?? []);
}

function isPraisedNegative(row: AnyRow): boolean {
  return 'judgment' in row && !row.satisfied && row.judgment !== null && looksLikePraise(row.judgment);
}

function isCriticisedPositive(row: AnyRow): boolean {
  return 'judgment' in row && row.satisfied && row.judgment !== null && findsFault(row.judgment);
}

function isTranscript(row: AnyRow): boolean {
  return promptOfRow(row).some(({ content }) => /^\s*\n\nHuman:|\n\nAssistant:\s*$/.test(content));
}

/** What the row says in answer to its prompt. */
function responsesOf(row: AnyRow): string[] {
  if ('completion' in row) return [row.completion];
  if ('chosen' in row) return [row.chosen, row.rejected];
  if ('rejected' in row) return [row.rejected, ...(row.positives ?? [])];
  if ('choices' in row) return row.choices;
  if ('responses' in row) return row.responses;
  if ('text' in row) return [row.text];
  if ('messages' in row) return row.messages.slice(promptOfRow(row).length).map(({ content }) => content);
  return [];
}

function textsOf(row: AnyRow): string[] {
  const judgment = 'judgment' in row && row.judgment !== null ? [row.judgment] : [];
  const refinement = 'refinement' in row && row.refinement !== undefined ? [row.refinement] : [];
  return [...promptOfRow(row).map(({ content }) => content), ...responsesOf(row), ...judgment, ...refinement];
}

function contentKey(row: AnyRow): string {
  return JSON.stringify([promptKey(promptOfRow(row)), responsesOf(row).map((text) => text.trim())]);
}

/** Rows whose content occurred in an earlier row. */
function repeats(rows: readonly AnyRow[]): Source[] {
  const seen = new Set<string>();
  return rows.filter((row) => seen.size === seen.add(contentKey(row)).size).map(sourceOf);
}

/** Every row of a group that holds both verdicts about the same content. */
function contradictions(rows: readonly AnyRow[]): Source[] {
  const groups = new Map<string, { verdicts: Set<boolean | string>; sources: Source[] }>();
  for (const row of rows) {
    const verdict = verdictOf(row);
    if (verdict === undefined) continue;
    const group = groups.get(verdict.about) ?? { verdicts: new Set(), sources: [] };
    group.verdicts.add(verdict.good);
    group.sources.push(row.source);
    groups.set(verdict.about, group);
  }
  return [...groups.values()].flatMap(({ verdicts, sources }) => (verdicts.size > 1 ? sources : []));
}

function verdictOf(row: AnyRow): { about: string; good: boolean | string } | undefined {
  if ('label' in row) return { about: contentKey(row), good: row.label };
  if ('satisfied' in row && row.satisfied !== undefined) return { about: contentKey(row), good: row.satisfied };
  if (!('chosen' in row)) return undefined;
  const [chosen, rejected] = [row.chosen.trim(), row.rejected.trim()];
  return { about: JSON.stringify([promptKey(row.prompt), ...[chosen, rejected].sort()]), good: chosen < rejected };
}

function looseKey(row: AnyRow): string {
  return groupKey(row).toLowerCase().replace(/(\s|\\[nrt])+/g, ' ');
}

function leaks(train: readonly AnyRow[], held: readonly AnyRow[]): Source[] {
  const trained = new Set(train.map(looseKey));
  return held.filter((row) => trained.has(looseKey(row))).map(sourceOf);
}

function tally(train: readonly AnyRow[], held: readonly AnyRow[]): Record<string, number> {
  const all = [...train, ...held];
  const counts: Record<string, number> = { train: train.length, eval: held.length };
  counts[all.some((row) => promptOfRow(row).length > 0) ? 'distinct prompts' : 'distinct texts'] = new Set(all.map(groupKey)).size;
  for (const row of all) {
    const word = wordFor(row);
    if (word !== undefined) counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

function wordFor(row: AnyRow): string | undefined {
  if ('satisfied' in row && row.satisfied !== undefined) return row.satisfied ? 'satisfied' : 'unsatisfied';
  if ('label' in row && typeof row.label === 'boolean') return row.label ? 'good' : 'bad';
  return undefined;
}
