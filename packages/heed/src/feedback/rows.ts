/** Training rows out of answers and what people said of them. */
import type { Message } from '../text/template.js';
import { UserError } from '../errors.js';
import { COMMENT, DEMONSTRATION, type Feedback, type Said } from './feedback.js';
import type { FeedbackKind } from './kinds.js';
import type { GivenAnswer } from './store.js';

/** One piece of feedback on an answer. */
export interface Remark extends Pick<Feedback, 'metric' | 'said' | 'value'> {
  /** For a comment: the vote that it explains. Default: the vote that counts. */
  readonly about?: string;
}

/** An answer with everything that was said of it, the earliest first. */
export interface RemarkedAnswer extends Pick<GivenAnswer, 'id' | 'choice' | 'prompt' | 'completion' | 'finish'> {
  readonly feedback: readonly Remark[];
}

/** Rows of one kind, and how much made none, by reason. */
export interface FeedbackRows {
  readonly rows: readonly object[];
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Which metric speaks, where there are several. */
export interface Metrics {
  readonly vote?: string;
  readonly score?: string;
}

/** What was said of one answer. */
export interface SaidOfAnswer {
  readonly comments: readonly string[];
  readonly demonstration: string | undefined;
  readonly vote: boolean | undefined;
  readonly score: number | undefined;
}
interface Row { readonly id?: string; readonly prompt: string | readonly Message[]; readonly completion: string }
/** Rows of one answer, or why there are none. */
type Make = (row: Row, said: SaidOfAnswer, finish: string) => object[] | string;

const UNVOTED = 'comments without a vote: whether they praise is not known';
const UNSAID = 'answers whose feedback lacks what this kind of row needs';

/** Answers whose text is not the whole answer, by how they ended: why no row is made of them. */
const NOT_WHOLE: Readonly<Record<string, string>> = {
  aborted: 'answers that were stopped before their end',
  error: 'answers that broke off with an error',
  content_filter: 'answers that a filter cut off',
  tool_calls: 'answers that call functions: their text is not all of them',
};

const MAKE: Readonly<Record<FeedbackKind, Make>> = {
  // A comment is a judgment where a vote says whether the answer was good; a vote in favour is one without a comment too.
  judged(row, { comments, vote }) {
    if (comments.length > 0 && vote === undefined) return UNVOTED;
    if (comments.length > 0) return comments.map((judgment) => ({ ...row, judgment, satisfied: vote }));
    if (vote === false) return 'votes against an answer without a comment: they do not say what is wrong';
    return vote === true ? [{ ...row, judgment: null, satisfied: true }] : UNSAID;
  },
  // Somebody who writes a better answer found the given one lacking.
  refined(row, { comments, demonstration }) {
    if (demonstration === undefined) return UNSAID;
    if (comments.length === 0) return 'demonstrations without a comment';
    if (demonstration === row.completion) return SAME;
    return [{ ...row, judgment: comments.join('\n'), satisfied: false, refinement: demonstration }];
  },
  preference({ completion, ...row }, { demonstration }) {
    if (demonstration === undefined) return UNSAID;
    return demonstration === completion ? SAME : [{ ...row, chosen: demonstration, rejected: completion }];
  },
  labelled: (row, { vote }) => (vote === undefined ? UNSAID : [{ ...row, label: vote }]),
  scored: (row, { score }) => (score === undefined ? UNSAID : [{ ...row, score }]),
  // What is to be imitated: the answer as somebody wrote it, or one that was voted good and ended of itself.
  conversation({ completion, prompt, ...row }, { demonstration, vote }, finish) {
    const turns = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
    const content = demonstration ?? (vote === true ? completion : undefined);
    if (content === undefined) return vote === false ? 'answers that were voted bad' : UNSAID;
    if (demonstration === undefined && finish !== 'stop') return 'answers that were cut off';
    return [{ ...row, messages: [...turns, { role: 'assistant', content }] }];
  },
};
const SAME = 'demonstrations equal to the answer';

/**
 * Rows of one answer, or in words why there are none (read after a number: "votes against an answer without a comment …").
 *
 * @param finish `stop` where the answer ended of itself, else why it ended.
 */
export function rowsOfAnswer(kind: FeedbackKind, row: Row, said: SaidOfAnswer, finish: string): readonly object[] | string {
  // Only a conversation with a demonstration does without the answer.
  const broken = kind === 'conversation' && said.demonstration !== undefined ? undefined : NOT_WHOLE[finish];
  return broken ?? MAKE[kind](row, said, finish);
}

/**
 * Rows of one kind. Of several votes, scores or demonstrations on one answer the latest counts; each comment makes a judgment of its own.
 *
 * @throws UserError where several metrics could be meant
 */
export function feedbackRows(answers: readonly RemarkedAnswer[], kind: FeedbackKind, metrics: Metrics = {}): FeedbackRows {
  const vote = metricOf(answers, 'vote', metrics.vote, ['judged', 'labelled', 'conversation'].includes(kind));
  const score = metricOf(answers, 'score', metrics.score, kind === 'scored');
  const leftOut: Record<string, number> = {};
  const count = (reason: string, n = 1): void => { leftOut[reason] = (leftOut[reason] ?? 0) + n; };
  const rows = answers.flatMap(({ id, choice, prompt, completion, finish, feedback }) => {
    const of = (kind: Said, metric?: string): Remark[] => feedback.filter((one) => one.said === kind && one.metric === metric);
    const latest = (kind: Said, metric: string | undefined): Remark['value'] | undefined => {
      const all = of(kind, metric);
      if (all.length > 1) count(`earlier values of ${metric} on the same answer`, all.length - 1);
      return all.at(-1)?.value;
    };
    const words = of('comment', COMMENT);
    const comments = words.filter(({ about }) => about === undefined || about === vote || vote === undefined);
    if (comments.length < words.length) count('comments on another metric', words.length - comments.length);
    const row = { id: choice === 0 ? id : `${id}#${choice}`, prompt: simple(prompt), completion };
    const made = rowsOfAnswer(kind, row, {
      comments: comments.map(({ value }) => value as string),
      demonstration: latest('demonstration', DEMONSTRATION) as string | undefined,
      vote: latest('vote', vote) as boolean | undefined, score: latest('score', score) as number | undefined,
    }, finish);
    if (typeof made !== 'string') return made;
    count(made);
    return [];
  });
  return { rows, leftOut };
}

/** A prompt of one user's message is written as its text. */
export const simple = (prompt: readonly Message[]): string | readonly Message[] =>
  (prompt.length === 1 && prompt[0]!.role === 'user' ? prompt[0]!.content : prompt);

/** The names of the metrics that are votes, or scores. */
export const metricsThat = (answers: readonly RemarkedAnswer[], said: 'vote' | 'score'): string[] =>
  [...new Set(answers.flatMap(({ feedback }) => feedback.filter((one) => one.said === said).map(({ metric }) => metric)))].sort();

function metricOf(
  answers: readonly RemarkedAnswer[], said: 'vote' | 'score', given: string | undefined, needed: boolean,
): string | undefined {
  const names = metricsThat(answers, said);
  if (given !== undefined && !names.includes(given)) {
    const there = names.length > 0 ? `There is ${names.join(', ')}.` : `There are no ${said}s.`;
    throw new UserError(`No ${said} has the metric ${given}.`, [there]);
  }
  if (given === undefined && needed && names.length > 1) {
    const several = `There are ${names.length} metrics that are ${said}s: ${names.join(', ')}.`;
    throw new UserError(several, [`Name the one that counts: --${said} ${names[0]}.`]);
  }
  return given ?? names[0];
}
