/** Reads files of another tool. */
import type { Problem } from '../../data/problem.js';
import { readRecords } from '../../data/read.js';
import type { RawRow } from '../../data/source.js';
import { UserError } from '../../errors.js';
import type { Hints, ImportFormat } from './format.js';
import { IMPORT_FORMATS } from './formats.js';
import { type Findings, noFindings } from './found.js';
import type { ImportName } from './names.js';

/** What files of another tool hold. */
export interface Imported extends Findings {
  readonly format: ImportName;
  /** How many records the files have, those that cannot be read among them. */
  readonly records: number;
}

const NO_HINTS: Hints = { labels: new Map(), fields: new Map() };

/**
 * Reads files of one format; those that belong together, such as scores and what they are of, are given together.
 *
 * @param from The format's name. Default: the one that all records can only be of.
 * @throws UserError for a file that cannot be read, and where no format is named and none is certain
 */
export async function importFiles(files: readonly string[], from?: ImportName, hints: Hints = NO_HINTS): Promise<Imported> {
  const archive = files.find((file) => file.endsWith('.eval'));
  if (archive !== undefined) {
    throw new UserError(`${archive} is an archive of inspect's.`, ['Make JSON of it: inspect log convert --to json --output-dir OUT LOG']);
  }
  const { rows, broken } = await readRecords(files, from === 'inspect' ? withoutConstants : undefined);
  const format = from === undefined ? certain(rows) : IMPORT_FORMATS.find(({ name }) => name === from)!;
  requireFields(format, hints);
  const findings = importRecords(format, rows, hints);
  findings.refused.unshift(...broken);
  return { ...findings, format: format.name, records: rows.length + broken.length };
}

const CONSTANT = /"(?:[^"\\]|\\[^])*"|-?\b(?:NaN|Infinity)\b/g;

/** Python writes NaN and Infinity for scores that are missing; JSON has null. */
function withoutConstants(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replace(CONSTANT, (token) => (token.startsWith('"') ? token : 'null')), 'latin1');
}

/** The same of records that were read already. */
export function importRecords(format: ImportFormat, records: readonly RawRow[], hints: Hints = NO_HINTS): Findings {
  const findings = noFindings();
  format.read(records, findings, hints);
  return findings;
}

/** The reasons of refusals, with how many records each is of, and the first. */
export function byReason(refused: readonly Problem[]): { readonly reason: string; readonly times: number; readonly first: Problem }[] {
  const reasons = new Map<string, { reason: string; times: number; first: Problem }>();
  for (const problem of refused) {
    // Places within a record differ: results[3], results[4].
    const column = problem.column === undefined ? '' : `${problem.column.replace(/\[\d+\]/g, '[]')} `;
    const reason = `${column}${problem.reason}`;
    const known = reasons.get(reason);
    if (known === undefined) reasons.set(reason, { reason, times: 1, first: problem });
    else known.times++;
  }
  return [...reasons.values()];
}

function certain(records: readonly RawRow[]): ImportFormat {
  const fits = IMPORT_FORMATS.filter((one) => records.every(({ fields }) => one.recognises(fields)));
  const [only] = fits;
  if (only !== undefined && fits.length === 1) return only;
  throw new UserError('Which tool wrote this file is not certain.', [
    'Name it: --from FORMAT.', ...IMPORT_FORMATS.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`),
  ]);
}

function requireFields({ name, fields = [] }: ImportFormat, hints: Hints): void {
  const wrong = [...hints.fields.keys()].find((field) => !fields.includes(field));
  if (wrong === undefined) return;
  throw new UserError(`--fields ${wrong}: ${name} has no such field.`, [
    fields.length === 0 ? `${name} files say themselves what is what; leave --fields out.` : `It has ${fields.join(', ')}.`,
  ]);
}
