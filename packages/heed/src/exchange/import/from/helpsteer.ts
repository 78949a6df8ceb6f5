/** HelpSteer 2 and 3: scores, preferences, feedback in words and edits, by people. */
import { z } from 'zod';
import type { RawRow, Source } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, demonstration, type ImportFormat, rated } from '../format.js';
import { anything, type Findings, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';

const RATINGS = ['helpfulness', 'correctness', 'coherence', 'complexity', 'verbosity'] as const;
const rating = z.number().nullish();
const Scored = z.object({
  prompt: z.string(), response: z.string(), helpfulness: z.number(),
  correctness: rating, coherence: rating, complexity: rating, verbosity: rating,
});
const strength = z.number().min(-3).max(3);
const Compared = z.object({ prompt: z.string(), response_1: z.string(), response_2: z.string(), preference_strength: strength });
const Context = { context: z.array(anything).min(1) };
const Voted = z.object({
  ...Context, response1: z.string(), response2: z.string(), overall_preference: strength,
  individual_preference: z.array(z.object({ score: strength })).nullish(),
});
const Feedback = z.object({ ...Context, response: z.string(), feedback: z.array(z.string()).min(1) });
const Edited = z.object({
  ...Context, original_response: z.string(), edited_response: z.string(), feedback: z.union([z.string(), z.array(z.string())]),
});
const Edits = z.object({ ...Context, good_edited_response: z.string(), bad_edited_response: z.string() });

/** How each text of feedback opens, on the scale of `helpfulness`. */
const LEVELS = ['not', 'slightly', 'partially', 'mostly', 'perfectly'];
const OPENING = new RegExp(`^\\s*The response is (${LEVELS.join('|')}) helpful`, 'i');

export const helpsteer: ImportFormat = {
  name: 'helpsteer',
  about: 'NVIDIA\'s HelpSteer2 and HelpSteer3: scores, preferences, feedback, edits',
  recognises: (fields) => 'preference_strength' in fields || ('overall_preference' in fields && 'response1' in fields)
    || 'bad_edited_response' in fields || ('helpfulness' in fields && 'verbosity' in fields),
  read(records, findings) {
    let before: ScoredAnswer | undefined;
    for (const record of records) {
      orRefuse(findings, record.source, () => {
        requireCharacters(record);
        const answer = readRecord(record, findings);
        // The two answers to a prompt stand in neighbouring rows.
        if (answer !== undefined && before?.asked === answer.asked) pair(before, answer, findings);
        before = before?.asked === answer?.asked ? undefined : answer;
      });
    }
  },
};

interface ScoredAnswer {
  readonly source: Source;
  readonly asked: string;
  readonly prompt: Message[];
  readonly response: string;
  readonly helpfulness: number;
}

function readRecord({ source, fields }: RawRow, findings: Findings): ScoredAnswer | undefined {
  const id = `row-${source.line}`;
  const context = (turns: readonly unknown[]): Message[] => turnsOf('context', turns, findings);
  const prefer = (row: object): void => void findings.rows.push({ kind: 'preference', source, row: { id, ...row } });
  if ('preference_strength' in fields) {
    const { prompt, response_1: first, response_2: second, preference_strength: by } = readAs(Compared, fields, findings);
    prefer({ prompt: marked(prompt), ...ordered(first, second, by), margin: Math.abs(by) });
  } else if ('overall_preference' in fields) {
    const { context: turns, response1: first, response2: second, overall_preference: by, individual_preference: votes } =
      readAs(Voted, fields, findings);
    const scores = (votes ?? []).map(({ score }) => score);
    prefer({ prompt: context(turns), ...ordered(first, second, by), ...shareOf(scores, by), margin: Math.abs(by) });
  } else if ('edited_response' in fields) {
    const { context: turns, original_response: completion, edited_response: better, feedback } = readAs(Edited, fields, findings);
    const said = [demonstration(better, 'person'), ...[feedback].flat().flatMap((words) => comment(words, { by: 'person' }))];
    findings.answers.push({ source, id, prompt: context(turns), completion, said });
  } else if ('good_edited_response' in fields) {
    const { context: turns, good_edited_response: chosen, bad_edited_response: rejected } = readAs(Edits, fields, findings);
    prefer({ prompt: context(turns), chosen, rejected });
  } else if ('feedback' in fields) {
    const { context: turns, response, feedback } = readAs(Feedback, fields, findings);
    for (const [i, words] of feedback.entries()) {
      const level = LEVELS.indexOf((OPENING.exec(words)?.[1] ?? '').toLowerCase());
      const said = [
        ...(level < 0 ? [] : [rated('helpfulness', level, 'person')]), ...comment(words, { about: 'helpfulness', by: 'person' }),
      ];
      findings.answers.push({ source, id: `${id}/${i + 1}`, prompt: context(turns), completion: response, said });
    }
  } else return scored(readAs(Scored, fields, findings), source, id, findings);
  return undefined;
}

function scored(row: z.infer<typeof Scored>, source: Source, id: string, findings: Findings): ScoredAnswer {
  const prompt = marked(row.prompt);
  const said = RATINGS.flatMap((name) => (typeof row[name] === 'number' ? [rated(name, row[name], 'person')] : []));
  findings.answers.push({ source, id, prompt, completion: row.response, said });
  return { source, asked: row.prompt, prompt, response: row.response, helpfulness: row.helpfulness };
}

function pair(first: ScoredAnswer, second: ScoredAnswer, findings: Findings): void {
  const by = second.helpfulness - first.helpfulness;
  const { source, prompt, response } = first;
  const row = { id: `row-${source.line}`, prompt, ...ordered(response, second.response, by), margin: Math.abs(by) };
  findings.rows.push({ kind: 'preference', source, row });
}

/** In both sets a number above 0 says that the second answer is better, and 0 that neither is. */
function ordered(first: string, second: string, by: number): { chosen: string; rejected: string; soft_label?: number } {
  if (by === 0) return { chosen: first, rejected: second, soft_label: 0.5 };
  return by > 0 ? { chosen: second, rejected: first } : { chosen: first, rejected: second };
}

/** The share of the votes for the answer that is preferred overall; a vote of 0 is half a vote for each. */
function shareOf(scores: readonly number[], by: number): { soft_label?: number } {
  if (scores.length === 0) return {};
  const direction = by > 0 ? 1 : -1;
  const votes = scores.map((score): number => (score === 0 ? 0.5 : Number(score * direction > 0)));
  return { soft_label: votes.reduce((sum, vote) => sum + vote, 0) / votes.length };
}

/** HelpSteer2 writes several turns as one text, with marks before each turn but the first. */
function marked(text: string): Message[] {
  const [first = '', ...rest] = text.split(/\n?<extra_id_1>(User|Assistant)\n/);
  const turns: Message[] = [{ role: 'user', content: first }];
  for (let i = 0; i < rest.length; i += 2) turns.push({ role: rest[i] === 'User' ? 'user' : 'assistant', content: rest[i + 1] ?? '' });
  const left = turns.some(({ content }) => content.includes('<extra_id_'));
  if (left) throw new Refusal('prompt: has a mark of turns that cannot be read', text);
  return turns;
}
