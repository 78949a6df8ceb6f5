/** Label Studio's exports, JSON and JSON-MIN: choices, ratings, texts and pairwise choices of each annotator. */
import { z } from 'zod';
import type { RawRow } from '../../../data/source.js';
import type { Hints, ImportFormat } from '../format.js';
import { anything, type Findings, idOr, note, orRefuse, readAs, Refusal, requireCharacters } from '../found.js';
import { type Asked, ASKED, personSaid, requireMapping, type Said, TEXTS } from '../mapped.js';

const Region = z.object({ from_name: z.string(), type: z.string(), value: z.record(z.string(), anything) });
const Annotation = z.object({
  id: z.union([z.string(), z.number()]).nullish(), was_cancelled: z.boolean().nullish(), result: z.array(Region),
  completed_by: z.union([z.number(), z.string(), z.object({ id: z.union([z.number(), z.string()]) })]).nullish(),
});
const Task = z.object({
  id: z.union([z.string(), z.number()]).nullish(), data: z.record(z.string(), anything), annotations: z.array(anything),
});

/** What a region's value holds, by its type. */
const VALUE: Readonly<Record<string, string>> = {
  pairwise: 'selected', choices: 'choices', rating: 'rating', textarea: 'text', number: 'number',
};

export const labelStudio: ImportFormat = {
  name: 'label-studio',
  about: 'Label Studio: Export as JSON or JSON-MIN',
  recognises: ({ annotations, data }) => Array.isArray(annotations) && typeof data === 'object' && data !== null,
  fields: [...TEXTS, ...ASKED],
  read(records, findings, hints) {
    requireMapping(hints, 'label-studio');
    for (const record of records) {
      orRefuse(findings, record.source, () => {
        requireCharacters(record);
        if (Array.isArray(record.fields['annotations'])) readTask(record, findings, hints);
        else readMin(record, findings, hints);
      });
    }
  },
};

function readTask({ source, fields }: RawRow, findings: Findings, hints: Hints): void {
  const task = readAs(Task, fields, findings);
  if (task.annotations.length === 0) throw new Refusal('nobody annotated the task');
  const shown = new Set(TEXTS.map((name) => hints.fields.get(name)));
  for (const key of Object.keys(task.data)) if (!shown.has(key)) findings.unused.add(`data.${key}`);
  for (const [i, given] of task.annotations.entries()) {
    orRefuse(findings, source, () => {
      const { id, was_cancelled: skipped, result, completed_by: by } = readAs(Annotation, given, findings, 'annotations[]');
      if (skipped === true) throw new Refusal('the annotator skipped the task');
      const who = typeof by === 'object' && by !== null ? by.id : by ?? id ?? i;
      const name = `${task.id ?? `row-${source.line}`}/${who}`;
      const said = saidIn(result, findings, hints);
      personSaid((text) => task.data[hints.fields.get(text)!], said, { id: name, source }, hints, findings);
    }, `annotations[${i}]`);
  }
}

function saidIn(result: readonly z.infer<typeof Region>[], findings: Findings, { fields }: Hints): Said {
  const said: Partial<Record<Asked, unknown>> = {};
  for (const { from_name: name, type, value } of result) {
    const asked = ASKED.find((one) => fields.get(one) === name);
    const key = Object.hasOwn(VALUE, type) ? VALUE[type] : undefined;
    if (asked === undefined) note(findings, `regions of ${name} were left out: --fields does not name it`);
    else if (key === undefined) throw new Refusal(`${name}: is of the type ${type}; known are ${Object.keys(VALUE).join(', ')}`);
    else said[asked] = value[key];
  }
  if (Object.keys(said).length === 0) throw new Refusal('the annotation answers nothing that --fields names');
  return said;
}

/** One flat record for each annotation. */
function readMin({ source, fields }: RawRow, findings: Findings, hints: Hints): void {
  const said = Object.fromEntries(ASKED.flatMap((asked) => {
    const name = hints.fields.get(asked);
    return name === undefined || fields[name] === undefined ? [] : [[asked, fields[name]]];
  }));
  if (Object.keys(said).length === 0) throw new Refusal('has neither annotations nor a field that --fields names');
  const used = new Set([...hints.fields.values(), 'id', 'annotator', 'annotation_id']);
  for (const key of Object.keys(fields)) if (!used.has(key)) findings.unused.add(key);
  const who = idOr(fields['annotator'], idOr(fields['annotation_id'], `row-${source.line}`));
  const id = `${idOr(fields['id'], `row-${source.line}`)}/${who}`;
  personSaid((text) => fields[hints.fields.get(text)!], said, { id, source }, hints, findings);
}
