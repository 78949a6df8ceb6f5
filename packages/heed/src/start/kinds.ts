/** Which kinds of rows the answers of a log make, and which methods learn from them. */
import { unspelt } from '../data/turns.js';
import type { FeedbackKind } from '../feedback/kinds.js';
import { rowsOfAnswer } from '../feedback/rows.js';
import type { Message } from '../text/template.js';
import type { LoggedAnswer } from './answers.js';
import { Leaving, type LeftOut } from './left-out.js';

/** The kinds that a log makes: those of feedback, and bad answers alone. */
export type LogKind = FeedbackKind | 'negative';

/** A row in Heed's columns, with the answer that it was made of. */
export interface LoggedRow {
  readonly answer: LoggedAnswer;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The rows of one kind. */
export interface KindRows {
  readonly kind: LogKind;
  readonly rows: readonly LoggedRow[];
  readonly leftOut: readonly LeftOut[];
}

/** A method that fits, and why it is one to take. */
export interface Fit {
  readonly method: string;
  readonly kind: LogKind;
  readonly rows: number;
  /** What it would learn from: "31 comments that say what is wrong, 20 good answers". */
  readonly why: string;
}

/** A prompt of one user's message is written as its text, where the reader of rows takes it for nothing else. */
export function written(prompt: readonly Message[]): string | readonly Message[] {
  const [only, ...more] = prompt;
  if (only?.role !== 'user' || more.length > 0 || Object.keys(only).length > 2) return prompt;
  try {
    return unspelt('prompt', only.content) === only.content ? only.content : prompt;
  } catch {
    // It begins like a list of turns and is none.
    return prompt;
  }
}

/** The rows of a kind. @param silent Whether nothing in the log says how good an answer is: answers then are what there is to imitate. */
export function rowsOf(answers: readonly LoggedAnswer[], kind: LogKind, silent: boolean): KindRows {
  const leaving = new Leaving();
  const rows = answers.flatMap((answer): LoggedRow[] => {
    const made = madeOf(answer, kind, silent);
    if (typeof made !== 'string') return made.map((fields) => ({ answer, fields }));
    leaving.add(made, [answer.source]);
    return [];
  });
  return { kind, rows, leftOut: leaving.all() };
}

function madeOf(answer: LoggedAnswer, kind: LogKind, silent: boolean): readonly Readonly<Record<string, unknown>>[] | string {
  const { id, pair, completion, comment, demonstration, vote, score } = answer;
  const row = { ...(id === undefined ? {} : { id }), prompt: written(answer.prompt) };
  if (pair !== undefined) {
    if (kind === 'preference') return [{ ...row, ...pair }];
    return kind === 'conversation' ? [{ ...row, completion: pair.chosen }] : 'pairs, of which this kind of row has no use';
  }
  if (kind === 'negative') {
    return vote === false ? [{ ...row, rejected: completion }] : 'answers that are not voted bad';
  }
  if (kind === 'conversation' && silent) return answer.finish === undefined ? [{ ...row, completion }] : 'answers that were cut off';
  const said = { comments: comment === undefined ? [] : [comment], demonstration, vote, score };
  const made = rowsOfAnswer(kind, { ...row, completion: completion! }, said, answer.finish ?? 'stop');
  if (typeof made === 'string') return made;
  const fields = made as readonly Readonly<Record<string, unknown>>[];
  if (kind !== 'conversation') return fields;
  // As a prompt and a completion, so that held-out rows can be answered.
  return fields.map(({ messages }) => ({ ...row, completion: (messages as readonly Message[]).at(-1)!.content }));
}

/** Least rows of a kind for its method to be the one that is taken, where another fits too. */
const ENOUGH = 4;

/** The methods that fit, the one to take first. */
export function fitsOf(kinds: ReadonlyMap<LogKind, KindRows>): Fit[] {
  const rows = (kind: LogKind): readonly LoggedRow[] => kinds.get(kind)?.rows ?? [];
  const n = (kind: LogKind, is: (fields: LoggedRow['fields']) => boolean = () => true): number =>
    rows(kind).filter(({ fields }) => is(fields)).length;
  const faults = n('judged', ({ satisfied }) => satisfied === false);
  const praised = n('judged') - faults;
  const [good, bad] = [n('labelled', ({ label }) => label === true), n('labelled', ({ label }) => label === false)];
  const pairs = n('preference');
  const refined = n('refined');
  const demonstrated = rows('preference').some(({ answer }) => answer.demonstration !== undefined);
  const pairsOf = demonstrated ? `${pairs} answers beside what they should have been` : `${pairs} pairs of a better and a worse answer`;
  const found = (method: string, kind: LogKind, there: boolean, why: string): Fit[] =>
    (there ? [{ method, kind, rows: n(kind), why }] : []);

  const byPairs = found('dpo', 'preference', pairs > 0, pairsOf);
  const byRefinements = found('ilf-dpo', 'refined', refined > 0, `${refined} answers with a comment and what they should have been`);
  const byComments = [
    ...found('cut', 'judged', faults > 0, `${faults} comments that say what is wrong, ${praised} good answers`),
    ...found('hindsight', 'judged', faults > 0, 'the same; answers are learned under their comments'),
  ];
  const byVotes = [
    ...found('kto', 'labelled', good > 0 && bad > 0, `${good} good and ${bad} bad answers`),
    ...found('bco', 'labelled', good > 0 && bad > 0, 'the same votes'),
  ];
  const byFaults = [
    ...found('d2o', 'negative', n('negative') > 0, `${n('negative')} bad answers; the model writes the better ones itself`),
    ...found('npo', 'negative', n('negative') > 0, 'the same bad answers alone'),
  ];
  const scores = new Set(rows('scored').map(({ fields }) => fields['score'])).size;
  const byScores = found('hindsight-reward', 'scored', scores > 1, `${n('scored')} scores`);
  const byAnswers = found('sft', 'conversation', n('conversation') > 0, `${n('conversation')} answers to imitate`);

  // Comments say most of one answer; a better answer beside it says more; votes say least, but there are often more of them.
  const first = [
    ...(pairs >= Math.max(faults, Math.min(ENOUGH, good + bad)) ? byPairs : []),
    ...(faults >= Math.max(Math.min(ENOUGH, bad), bad / 5) ? byComments.slice(0, 1) : []),
    ...byVotes.slice(0, 1), ...(good === 0 ? byFaults.slice(0, 1) : []), ...byScores, ...byAnswers,
  ].slice(0, 1);
  const all = [...byPairs, ...byRefinements, ...byComments, ...byVotes, ...byFaults, ...byScores, ...byAnswers];
  return [...first, ...all.filter(({ method }) => method !== first[0]?.method)];
}
