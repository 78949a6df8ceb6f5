/** Langfuse's exports: scores, and the observations or traces that the scores belong to. */
import { z } from 'zod';
import { parseSpelt } from '../../../data/spelt.js';
import { isObject } from '../../../data/turn.js';
import { asResponse } from '../../../data/turns.js';
import type { RawRow, Source } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, demonstration, type Hints, type ImportFormat, rated } from '../format.js';
import { anything, type Findings, type ImportedRemark, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';
import { MAP_IT, meaningOf } from '../labels.js';

const id = z.string().nullish();
const Score = z.object({
  id, name: z.string().min(1), value: z.union([z.number(), z.string(), z.boolean()]).nullish(), stringValue: z.string().nullish(),
  dataType: z.enum(['NUMERIC', 'BOOLEAN', 'CATEGORICAL', 'TEXT', 'CORRECTION']).default('NUMERIC'), comment: z.string().nullish(),
  source: z.string().nullish(), traceId: id, observationId: id, timestamp: z.string().nullish(),
  subject: z.object({ kind: z.string(), id: z.string(), traceId: id }).nullish(),
});
type Score = z.infer<typeof Score>;
const Given = z.object({
  id: z.string().min(1), traceId: id, type: z.string().nullish(), input: anything.optional(), output: anything.optional(),
  startTime: z.string().nullish(),
});

interface Place { readonly at: Source }
/** An observation, or a whole trace. */
type Observation = z.infer<typeof Given> & Place & { readonly trace: boolean };
interface Scores { readonly observations: Observation[]; readonly scores: (Score & Place)[] }

const FILES = 'Scores need what they are of: give the files of scores and of observations in one command.';

export const langfuse: ImportFormat = {
  name: 'langfuse',
  about: 'Langfuse: exported scores and observations (two files), or a trace\'s own download',
  recognises: (fields) => (Array.isArray(fields['observations']) && Array.isArray(fields['scores']))
    || ('name' in fields && 'traceId' in fields && ('dataType' in fields || ('input' in fields && 'type' in fields))),
  read(records, findings, hints) {
    const { observations, scores } = partsOf(records, findings);
    const said = new Map<Observation, (Score & Place)[]>();
    for (const score of scores) {
      orRefuse(findings, score.at, () => {
        const of = subjectOf(score, observations);
        said.set(of, [...said.get(of) ?? [], score]);
      }, score.name);
    }
    for (const one of observations) {
      const own = said.get(one);
      if (own === undefined) findings.refused.push({ source: one.at, reason: 'is not scored' });
      else if (!orRefuse(findings, one.at, () => answerOf(one, own, findings, hints))) {
        for (const { at } of own) findings.refused.push({ source: at, reason: 'the answer that the score is of was refused' });
      }
    }
  },
};

function partsOf(records: readonly RawRow[], findings: Findings): Scores {
  const parts: Scores = { observations: [], scores: [] };
  for (const record of records) {
    const { source, fields } = record;
    orRefuse(findings, source, () => {
      requireCharacters(record);
      const score = (value: unknown): void => void parts.scores.push({ ...readAs(Score, value, findings), at: source });
      const given = (value: unknown, trace: boolean): void =>
        void parts.observations.push({ ...readAs(Given, value, findings), at: source, trace });
      const { observations, scores, ...trace } = fields;
      if (Array.isArray(observations)) {
        if (observations.length === 0) throw new Refusal('observations: is empty');
        for (const one of observations) given(one, false);
        for (const one of Array.isArray(scores) ? scores as unknown[] : []) score(one);
        if ('input' in trace) given(trace, true);
      } else if ('input' in fields || 'output' in fields) given(fields, !('type' in fields));
      else score(fields);
    });
  }
  return parts;
}

/** The observation that a score is of: itself, else the trace's last generation, else the trace. */
function subjectOf(score: Score, observations: readonly Observation[]): Observation {
  const { subject } = score;
  const observation = score.observationId ?? (subject?.kind === 'observation' ? subject.id : undefined);
  const trace = score.traceId ?? subject?.traceId ?? (subject?.kind === 'trace' ? subject.id : undefined);
  if (typeof observation === 'string') {
    const found = observations.find((one) => !one.trace && one.id === observation);
    if (found !== undefined) return found;
    throw new Refusal(`the observation that the score is of is not in the files. ${FILES}`, observation);
  }
  if (typeof trace !== 'string') throw new Refusal('the score is of a session or an experiment, not of an answer');
  const generations = observations.filter((one) => one.traceId === trace && one.type === 'GENERATION');
  const last = generations.reduce<Observation | undefined>(
    (latest, one) => (latest === undefined || (one.startTime ?? '') >= (latest.startTime ?? '') ? one : latest), undefined,
  );
  const found = last ?? observations.find((one) => one.trace && one.id === trace);
  if (found === undefined) throw new Refusal(`the trace that the score is of is not in the files. ${FILES}`, trace);
  return found;
}

function answerOf(one: Observation, scores: readonly (Score & Place)[], findings: Findings, hints: Hints): void {
  const [input, output] = [spelt(one.input), spelt(one.output)];
  if (JSON.stringify([input, output])?.includes('@@@langfuseMedia:')) throw new Refusal('holds an attachment; only text is learned');
  const prompt = promptOf(input, findings), completion = completionOf(output);
  const said = scores.toSorted((a, b) => ((a.timestamp ?? '') < (b.timestamp ?? '') ? -1 : 1)).flatMap((score) => {
    const remarks: ImportedRemark[] = [];
    orRefuse(findings, score.at, () => {
      remarks.push(...remarksOf(score, hints));
      findings.joined.push(score.at);
    }, score.name);
    return remarks;
  });
  findings.answers.push({ source: one.at, id: one.id, prompt, completion, said });
}

function remarksOf(score: Score, { labels }: Hints): ImportedRemark[] {
  const { name, dataType, value, stringValue, source } = score;
  const by = source === 'EVAL' ? 'program' as const : 'person' as const;
  const words = comment(score.comment, { about: name, by });
  const text = typeof value === 'string' ? value : stringValue;
  if (dataType === 'TEXT' || dataType === 'CORRECTION') {
    if (typeof text !== 'string' || text.trim() === '') throw new Refusal('the score has no text');
    return dataType === 'TEXT' ? comment(text, { by }) : [demonstration(text, by), ...comment(score.comment, { by })];
  }
  if (dataType === 'CATEGORICAL') {
    const meaning = typeof text === 'string' ? meaningOf(text, labels) : undefined;
    if (meaning === undefined) throw new Refusal(`the label ${MAP_IT}`, text);
    return [rated(name, meaning, by), ...words];
  }
  if (dataType === 'BOOLEAN') {
    const vote = typeof value === 'number' ? value === 1 : value;
    if (typeof vote !== 'boolean') throw new Refusal('the value is neither true nor false', value);
    return [rated(name, vote, by), ...words];
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Refusal('the value is not a number', value);
  return [rated(name, value, by), ...words];
}

/** What the API gives as text that spells JSON. */
const spelt = (value: unknown): unknown => (typeof value === 'string' ? parseSpelt(value) ?? value : value);

function promptOf(input: unknown, findings: Findings): Message[] {
  const given = Array.isArray(input) && input.length === 1 && Array.isArray(input[0]) ? input[0] as unknown : input;
  const turns = isObject(given) && 'messages' in given ? given['messages'] : given;
  if (typeof turns === 'string') return [{ role: 'user', content: turns }];
  if (Array.isArray(turns)) return turnsOf('input', turns, findings);
  throw new Refusal('input: is neither a text nor a list of messages', input);
}

function completionOf(output: unknown): string {
  if (isObject(output) && typeof output['completion'] === 'string') return output['completion'];
  const choices = isObject(output) ? output['choices'] : undefined;
  if (!Array.isArray(choices)) return asResponse('output', output);
  if (choices.length !== 1 || !isObject(choices[0])) {
    throw new Refusal('output: has several choices, and the score does not say which one it rates');
  }
  return asResponse('output', choices[0]['message']);
}
