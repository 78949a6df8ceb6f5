/** inspect's evaluation logs: answers, and what scorers said of them. */
import { z } from 'zod';
import { isObject } from '../../../data/turn.js';
import type { RawRow, Source } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, type ImportFormat, rated } from '../format.js';
import { anything, type Findings, type ImportedRemark, note, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';

const Score = z.object({ value: anything, explanation: z.string().nullish() });
const Sample = z.object({
  id: z.union([z.string(), z.number()]), epoch: z.int().default(1),
  input: z.union([z.string(), z.array(anything).min(1)]), messages: z.array(anything).default([]),
  output: z.object({ completion: z.string(), choices: z.array(z.object({ stop_reason: z.string().nullish() })).default([]) }),
  scores: z.record(z.string(), Score).nullish(), error: anything.optional(),
});
type Sample = z.infer<typeof Sample>;

/** What inspect writes for right, wrong, partly right and no answer. */
const LETTERS: Readonly<Record<string, boolean | number | undefined>> = { C: true, I: false, P: 0.5, N: undefined };

interface Voted {
  readonly source: Source;
  readonly id: string;
  readonly prompt: Message[];
  readonly completion: string;
  readonly votes: ReadonlyMap<string, boolean>;
}

export const inspect: ImportFormat = {
  name: 'inspect',
  about: 'inspect: an evaluation log as JSON (inspect log convert --to json)',
  recognises: ({ version, samples, plan }) => version === 2 && Array.isArray(samples) && isObject(plan),
  read(records, findings) {
    for (const record of records) {
      orRefuse(findings, record.source, () => {
        requireCharacters(record);
        const { samples, ...others } = record.fields;
        if (!Array.isArray(samples)) throw new Refusal('samples: are not in the log; convert it whole, without --header-only', samples);
        if (samples.length === 0) throw new Refusal('samples: is empty');
        for (const key of Object.keys(others)) findings.unused.add(key);
        const voted = (samples as unknown[]).flatMap((sample, i) => sampleOf(sample, i, record, findings));
        pairEpochs(voted, findings);
      });
    }
  },
};

function sampleOf(given: unknown, place: number, { source }: RawRow, findings: Findings): Voted[] {
  const found: Voted[] = [];
  orRefuse(findings, source, () => {
    const sample = readAs(Sample, given, findings, 'samples[]');
    if (sample.error !== undefined && sample.error !== null) throw new Refusal('the sample ended with an error');
    const { completion, choices } = sample.output;
    const prompt = promptOf(sample, findings);
    if (JSON.stringify([prompt, completion]).includes('attachment://')) throw new Refusal('a text is an attachment of the log, not here');
    const id = `${sample.id}/${sample.epoch}`;
    const scores = Object.entries(sample.scores ?? {});
    if (scores.length === 0) throw new Refusal('has no scores');
    const said = scores.flatMap(([name, score]) => remarks(name, score, findings));
    const finish = choices[0]?.stop_reason === 'max_tokens' ? 'length' : 'stop';
    findings.answers.push({ source, id, prompt, completion, finish, said });
    const votes = new Map(said.flatMap(({ metric, said: kind, value }) => (kind === 'vote' ? [[metric, value as boolean] as const] : [])));
    found.push({ source, id: String(sample.id), prompt, completion, votes });
  }, `samples[${place}]`);
  return found;
}

/** The messages before the last answer; the input where the log has none. */
function promptOf({ input, messages }: Sample, findings: Findings): Message[] {
  const last = messages.findLastIndex((message) => isObject(message) && message['role'] === 'assistant');
  const turns = last > 0 ? messages.slice(0, last) : input;
  return typeof turns === 'string' ? [{ role: 'user', content: turns }] : turnsOf('messages', turns, findings);
}

function remarks(name: string, { value, explanation }: z.infer<typeof Score>, findings: Findings): ImportedRemark[] {
  const words = comment(explanation, { about: name, by: 'program' });
  if (typeof value === 'number' && Number.isFinite(value)) return [rated(name, value, 'program'), ...words];
  if (typeof value === 'boolean') return [rated(name, value, 'program'), ...words];
  if (typeof value === 'string' && Object.hasOwn(LETTERS, value)) {
    const meant = LETTERS[value];
    if (meant !== undefined) return [rated(name, meant, 'program'), ...words];
  }
  note(findings, 'scores that are neither C, I or P, nor a number, nor true or false were left out');
  return words;
}

/** Among the epochs of one sample, right answers are preferred to wrong ones. */
function pairEpochs(voted: readonly Voted[], findings: Findings): void {
  const key = ({ id, prompt }: Voted): string => JSON.stringify([id, prompt]);
  for (const same of new Set(voted.map(key))) {
    const group = voted.filter((one) => key(one) === same);
    for (const metric of new Set(group.flatMap(({ votes }) => [...votes.keys()]))) {
      for (const good of group.filter(({ votes }) => votes.get(metric) === true)) {
        for (const bad of group.filter(({ votes }) => votes.get(metric) === false)) {
          const row = { id: good.id, prompt: good.prompt, chosen: good.completion, rejected: bad.completion };
          findings.rows.push({ kind: 'preference', source: good.source, row });
        }
      }
    }
  }
}
