/** Records whose fields have any name: the user says which is the prompt, which the answer, and what each question asked. */
import { UserError } from '../../errors.js';
import type { Source } from '../../data/source.js';
import type { Message } from '../../text/template.js';
import { comment, demonstration, type Hints, rated } from './format.js';
import { type Findings, idOr, type ImportedRemark, note, Refusal, turnsOf } from './found.js';
import { MAP_IT, meaningOf } from './labels.js';

/** What `--fields` gives names to: texts that were shown, and what people were asked. */
export const TEXTS = ['prompt', 'completion', 'first', 'second'] as const;
export const ASKED = ['vote', 'score', 'comment', 'demonstration', 'preferred'] as const;
export type Asked = (typeof ASKED)[number];

/** What one person said, by what was asked. */
export type Said = Readonly<Partial<Record<Asked, unknown>>>;

/** @throws UserError where the fields name neither an answer nor two to compare */
export function requireMapping({ fields }: Hints, format: string): void {
  const has = (name: string): boolean => fields.has(name);
  if (has('prompt') && (has('completion') || (has('first') && has('second') && has('preferred')))) return;
  throw new UserError(`${format} files have fields of any name: say which is which with --fields.`, [
    'An answer and what was said of it: --fields prompt=NAME,completion=NAME,vote=NAME (also score, comment, demonstration).',
    'Two answers: --fields prompt=NAME,first=NAME,second=NAME,preferred=NAME.',
  ]);
}

/** What one person said of a record, as an answer or as a pair. @throws Refusal */
export function personSaid(
  texts: (name: (typeof TEXTS)[number]) => unknown, said: Said, { id, source }: { readonly id: string; readonly source: Source },
  { fields, labels }: Hints, findings: Findings,
): void {
  const prompt = asPrompt(texts('prompt'), findings);
  const text = (name: 'completion' | 'first' | 'second'): string => {
    const given = texts(name);
    if (typeof given !== 'string') throw new Refusal(`${fields.get(name)!}: is not text`, given);
    return given;
  };
  if (fields.has('preferred')) {
    const row = { id, prompt, ...preferred(said.preferred, text('first'), text('second'), fields) };
    findings.rows.push({ kind: 'preference', source, row });
  }
  if (!fields.has('completion')) return;
  const remarks: ImportedRemark[] = [...voteOf(said.vote, labels), ...scoreOf(said.score)];
  for (const words of textsOf(said.comment)) remarks.push(...comment(words, { by: 'person' }));
  for (const better of textsOf(said.demonstration)) remarks.push(demonstration(better, 'person'));
  if (remarks.length === 0) note(findings, 'answers without feedback in the fields that --fields names');
  findings.answers.push({ source, id, prompt, completion: text('completion'), said: remarks });
}

function asPrompt(given: unknown, findings: Findings): Message[] {
  if (typeof given === 'string') return [{ role: 'user', content: given }];
  if (Array.isArray(given)) return turnsOf('prompt', given, findings);
  throw new Refusal('prompt: is neither a text nor a list of turns', given);
}

const only = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] as unknown : value);
const textsOf = (value: unknown): string[] => [value].flat().filter((one): one is string => typeof one === 'string' && one.trim() !== '');

function voteOf(given: unknown, labels: Hints['labels']): ImportedRemark[] {
  const value = only(given);
  if (value === undefined || value === null) return [];
  if (typeof value === 'boolean') return [rated('vote', value, 'person')];
  const meaning = typeof value === 'string' || typeof value === 'number' ? meaningOf(String(value), labels) : undefined;
  if (meaning === undefined) throw new Refusal(`the vote ${MAP_IT}`, value);
  return [rated('vote', meaning, 'person')];
}

function scoreOf(given: unknown): ImportedRemark[] {
  const value = only(given);
  if (value === undefined || value === null) return [];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Refusal('the score is not a number', value);
  return [rated('score', value, 'person')];
}

/** The words for either answer: its place, or the name of its field. */
function preferred(given: unknown, first: string, second: string, fields: Hints['fields']): object {
  const value = idOr(only(given), '').trim();
  const is = (place: 'first' | 'second', ...words: string[]): boolean => [place, fields.get(place), ...words].includes(value);
  if (is('first', 'left', '1', 'A')) return { chosen: first, rejected: second };
  if (is('second', 'right', '2', 'B')) return { chosen: second, rejected: first };
  if (value === 'tie') return { chosen: first, rejected: second, soft_label: 0.5 };
  throw new Refusal('the preferred answer is neither first, second nor tie, nor the name of a field', given);
}
