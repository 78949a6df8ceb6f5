/** promptfoo's results: of each test and prompt an answer, whether it passed, and what graders and people said of it. */
import { z } from 'zod';
import { parseSpelt } from '../../../data/spelt.js';
import { isObject } from '../../../data/turn.js';
import type { RawRow, Source } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, type ImportFormat, rated } from '../format.js';
import { anything, type Findings, type ImportedRemark, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';

const Component = z.object({
  pass: z.boolean(), reason: z.string().nullish(), comment: z.string().nullish(), assertion: z.object({ type: z.string() }).nullish(),
});
const Result = z.object({
  id: z.string().optional(),
  promptIdx: z.int(), testIdx: z.int(),
  provider: z.object({ id: z.string().optional() }).optional(),
  prompt: z.object({ raw: z.string() }),
  response: z.object({ output: anything.optional() }).nullish(),
  failureReason: z.int().default(0),
  success: z.boolean(), score: z.number(),
  gradingResult: z.object({
    reason: z.string().nullish(), comment: z.string().nullish(), componentResults: z.array(Component).nullish(),
  }).nullish(),
});
type Result = z.infer<typeof Result>;

/** promptfoo's number for a result of which no answer came. */
const ERROR = 2;
/** The reason that a thumb writes in place of a grader's. */
const MANUAL = /^Manual result/;
/** Assertions whose reason is written by somebody who read the answer. */
const READERS = /^(?:not-)?(?:llm-rubric|model-graded|factuality|g-eval|answer-relevance|human|pi)/;

/** An answer of a test, to be paired with others to the same prompt. */
interface Graded {
  readonly source: Source;
  readonly id: string;
  readonly test: string;
  readonly good: boolean;
  readonly prompt: Message[];
  readonly completion: string;
}

export const promptfoo: ImportFormat = {
  name: 'promptfoo',
  about: 'promptfoo: promptfoo eval -o results.json or results.jsonl',
  recognises: (fields) =>
    (isObject(fields['results']) && Array.isArray(fields['results']['results'])) || ('promptIdx' in fields && 'gradingResult' in fields),
  read(records, findings) {
    const graded = records.flatMap((record) => resultsOf(record, findings));
    for (const good of graded.filter((one) => one.good)) {
      for (const bad of graded.filter((one) => !one.good && one.test === good.test)) {
        const row = { id: `${good.id}>${bad.id}`, prompt: good.prompt, chosen: good.completion, rejected: bad.completion };
        findings.rows.push({ kind: 'preference', source: good.source, row });
      }
    }
  },
};

function resultsOf(record: RawRow, findings: Findings): Graded[] {
  const { source, fields } = record;
  const graded: Graded[] = [];
  const take = (result: unknown, place?: string): void => void orRefuse(findings, source, () => {
    graded.push(readResult(readAs(Result, result, findings, place === undefined ? '' : 'results[]'), source, findings));
  }, place);
  orRefuse(findings, source, () => {
    requireCharacters(record);
    if ('chosen' in fields && 'rejected' in fields) {
      throw new Refusal('comes from the DPO download, whose prompts lack their variables; import the results: promptfoo eval -o FILE');
    }
    const { results } = fields;
    if (!isObject(results)) return take(fields);
    if (!Array.isArray(results['results'])) throw new Refusal('results.results: is no list', results['results']);
    if (results['results'].length === 0) throw new Refusal('results.results: is empty');
    for (const [i, result] of (results['results'] as unknown[]).entries()) take(result, `results[${i}]`);
    for (const key of Object.keys(fields)) if (key !== 'results') findings.unused.add(key);
  });
  return graded;
}

function readResult(result: Result, source: Source, findings: Findings): Graded {
  const { promptIdx, testIdx, prompt: { raw }, response, provider } = result;
  if (result.failureReason === ERROR) throw new Refusal('no answer came: the provider failed');
  const completion = response?.output;
  if (typeof completion !== 'string') throw new Refusal('response.output: is not text', completion);
  const spelt = parseSpelt(raw);
  const prompt = Array.isArray(spelt) ? turnsOf('prompt.raw', spelt, findings) : [{ role: 'user' as const, content: raw }];
  const id = result.id ?? `${testIdx}/${promptIdx}/${provider?.id ?? ''}`;
  const { said, good } = remarksOf(result);
  findings.answers.push({ source, id, prompt, completion, said });
  return { source, id, test: `${testIdx} ${raw}`, good, prompt, completion };
}

/** A person's thumb counts before what assertions say. */
function remarksOf({ success, score, gradingResult }: Result): { said: ImportedRemark[]; good: boolean } {
  const components = gradingResult?.componentResults ?? [];
  const human = components.findLast(({ assertion }) => assertion?.type === 'human');
  const manual = human !== undefined || MANUAL.test(gradingResult?.reason ?? '');
  const good = human?.pass ?? success;
  const by = manual ? 'person' as const : 'program' as const;
  const words = comment(human?.comment ?? gradingResult?.comment, { about: 'pass', by: 'person' });
  const reasons = components.filter(({ pass, assertion, reason }) =>
    pass === good && assertion?.type !== 'human' && READERS.test(assertion?.type ?? '') && !MANUAL.test(reason ?? ''));
  const graders = reasons.flatMap(({ reason }) => comment(reason, { about: 'pass', by: 'program' }));
  return { said: [rated('pass', good, by), rated('score', score, by), ...(words.length > 0 ? words : graders)], good };
}
