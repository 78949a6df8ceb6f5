/** What Heed knows of a format that it imports. */
import type { RawRow } from '../../data/source.js';
import { COMMENT, DEMONSTRATION } from '../../feedback/feedback.js';
import type { Findings, ImportedRemark } from './found.js';
import type { Meaning } from './labels.js';
import type { ImportName } from './names.js';

/** What a user says of the files beside their format. */
export interface Hints {
  /** What labels mean. */
  readonly labels: ReadonlyMap<string, Meaning>;
  /** Our word → the file's, for formats whose fields have any name: { prompt: 'question', vote: 'ok' }. */
  readonly fields: ReadonlyMap<string, string>;
}

/** One format of another tool. */
export interface ImportFormat {
  /** As `--from` takes it. */
  readonly name: ImportName;
  /** Which tool writes it, and where in that tool. */
  readonly about: string;
  /** Whether a record can only be of this format. */
  recognises(fields: RawRow['fields']): boolean;
  /** Reads all records at once, since some belong together. Every record ends as a find or as a refusal. */
  read(records: readonly RawRow[], findings: Findings, hints: Hints): void;
  /** The words that `hints.fields` may give a name to. Default: none. */
  readonly fields?: readonly string[];
}

/** A vote or a score under its name. */
export const rated = (metric: string, value: boolean | number, by?: ImportedRemark['by']): ImportedRemark =>
  ({ metric, said: typeof value === 'boolean' ? 'vote' : 'score', value, ...(by && { by }) });

/** Words about an answer; `about`: the vote that they explain. No remark where the words say nothing. */
export const comment = (text: string | null | undefined, { about, by }: { about?: string; by?: ImportedRemark['by'] } = {}):
ImportedRemark[] => ((text ?? '').trim() === '' ? []
  : [{ metric: COMMENT, said: 'comment', value: text!, ...(about !== undefined && { about }), ...(by && { by }) }]);

/** The answer as it should have been. */
export const demonstration = (text: string, by?: ImportedRemark['by']): ImportedRemark =>
  ({ metric: DEMONSTRATION, said: 'demonstration', value: text, ...(by && { by }) });
