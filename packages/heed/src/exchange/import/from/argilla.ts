/** Argilla's records, flattened: fields, and the responses of each annotator to each question. */
import type { RawRow } from '../../../data/source.js';
import { isObject } from '../../../data/turn.js';
import type { Hints, ImportFormat } from '../format.js';
import { type Findings, idOr, note, orRefuse, Refusal, requireCharacters } from '../found.js';
import { ASKED, personSaid, requireMapping, type Said, TEXTS } from '../mapped.js';

const RESPONSES = '.responses', USERS = '.responses.users', STATUS = '.responses.status';

export const argilla: ImportFormat = {
  name: 'argilla',
  about: 'Argilla: records with flatten=True (to_list, to_json, to_datasets), as JSON or Parquet',
  recognises: (fields) => Object.keys(fields).some((key) => key.endsWith(STATUS)),
  fields: [...TEXTS, ...ASKED],
  read(records, findings, hints) {
    requireMapping(hints, 'argilla');
    for (const record of records) orRefuse(findings, record.source, () => readRecord(record, findings, hints));
  },
};

function readRecord(record: RawRow, findings: Findings, hints: Hints): void {
  requireCharacters(record);
  const { source, fields } = record;
  if (isObject(fields['responses']) && isObject(fields['fields'])) {
    throw new Refusal('is nested, which does not say which responses are drafts: export with flatten=True');
  }
  const users = usersOf(fields, hints);
  if (users.size === 0) throw new Refusal('no response was submitted to the questions that --fields names');
  const used = new Set([...hints.fields.values()].flatMap((name) => [name, name + RESPONSES, name + USERS, name + STATUS]));
  for (const key of Object.keys(fields)) if (!used.has(key) && key !== 'id') findings.unused.add(key);
  for (const [user, said] of users) {
    const id = `${idOr(fields['id'], `row-${source.line}`)}/${user}`;
    orRefuse(findings, source, () => personSaid((name) => fields[hints.fields.get(name)!], said, { id, source }, hints, findings));
  }

  /** What each annotator submitted. */
  function usersOf(cells: RawRow['fields'], { fields: names }: Hints): Map<string, Said> {
    const found = new Map<string, Said>();
    for (const asked of ASKED) {
      const name = names.get(asked);
      if (name === undefined) continue;
      const [values, who, status] = [RESPONSES, USERS, STATUS].map((part) => cells[name + part]);
      if (values === undefined || values === null) continue;
      if (![values, who, status].every((one) => Array.isArray(one) && one.length === (values as unknown[]).length)) {
        throw new Refusal(`${name}${RESPONSES}: its users and status are not there for each response`, values);
      }
      for (const [i, value] of (values as unknown[]).entries()) {
        if ((status as unknown[])[i] !== 'submitted') {
          note(findings, 'responses that are drafts or discarded were left out');
          continue;
        }
        const user = idOr((who as unknown[])[i], `user-${i + 1}`);
        found.set(user, { ...found.get(user), [asked]: value });
      }
    }
    return found;
  }
}
