/** A comparison in words, for the terminal and for the page. */
import type { Measured } from '../run/job.js';
import type { Interval } from '../run/report/measurements.js';
import { percent, withInterval } from '../run/numbers.js';
import type { Comparison, ComparedAnswer, ComparedPrompt } from './compare.js';
import { describeSigns } from './degenerate.js';
import type { Duel } from './duel.js';

/** The measurements in the order of the table: name, words, and how a number is written. */
export const NAMES: readonly (readonly [name: string, words: string, write: (x: number) => string])[] = [
  ['satisfied', 'satisfy the reward', percent],
  ['value', 'reward', (x) => x.toFixed(3)],
  ['findings', 'findings an answer', (x) => x.toFixed(2)],
  ['medianWords', 'words, median', (x) => String(Math.round(10 * x) / 10)],
  ['distinct2', 'distinct-2', (x) => x.toFixed(2)],
  ['unfinished', 'cut off at --max-tokens', percent],
];

const shown = (measured: Measured | undefined, write: (x: number) => string): string => {
  if (measured === undefined) return '–';
  return typeof measured === 'number' ? write(measured) : withInterval(measured, write);
};

/** An interval over seeds; nothing where all seeds gave one number, or there is one seed. */
const overSeeds = (found: Interval | undefined, write: (x: number) => string): string =>
  (found === undefined || found.low === found.high ? '' : `, seeds [${write(found.low)}, ${write(found.high)}]`);

/** Numbers of the reward that stand beside signs of a collapse are marked. */
const markOf = ({ signs }: Comparison['contenders'][number], name: string): string =>
  (signs.length > 0 && ['satisfied', 'value', 'findings'].includes(name) ? ' (!)' : '');

/** A measurement of each contender. */
export const cellsOf = ({ contenders }: Comparison, name: string, write: (x: number) => string): string[] =>
  contenders.map((one) => shown(one.measured[name], write) + overSeeds(one.overSeeds?.[name], write) + markOf(one, name));

/** A column of answers: a contender's, or where it has several runs those of one. */
export interface AnswerColumn {
  readonly name: string;
  /** The contender's place. */
  readonly contender: number;
  /** The first column of its contender, and the last. */
  readonly first: boolean;
  readonly last: boolean;
  of(prompt: ComparedPrompt): ComparedAnswer;
}

export const answerColumns = ({ contenders }: Comparison): AnswerColumn[] => contenders.flatMap(({ name, runs }, contender) => {
  if (runs === undefined) return [{ name, contender, first: true, last: true, of: ({ answers }) => answers[contender]! }];
  return runs.map((run, k): AnswerColumn => ({
    name: `${name} ${run.name}`, contender, first: k === 0, last: k === runs.length - 1, of: ({ answers }) => answers[contender]!.runs![k]!,
  }));
});

/** How the answers came about. */
export function howAnswered({ rows, sampling: { temperature = 1, seed }, reward, judge, contenders }: Comparison): string {
  const how = temperature === 0 ? 'greedy' : `temperature ${temperature}, seed ${seed}`;
  const rated = reward === undefined ? '' : `, rated by ${reward}`;
  const several = contenders.flatMap(({ name, runs }) => (runs === undefined ? [] : [`${name} is the mean of ${runs.length} runs`]));
  const seeds = several.length === 0 ? '' : `; ${several.join(', ')}`;
  return `${rows} prompts, ${how}${judge === undefined ? rated : `, compared by ${judge} in both orders`}${seeds}; `
    + `in brackets: 95 % intervals${several.length === 0 ? '' : ' over prompts, and over seeds where it says so'}`;
}

/** What a reader must know before the numbers. */
export function warningsOf({ rows, contenders }: Comparison): string[] {
  const collapsed = contenders.flatMap(({ name, signs }) => describeSigns(`${name} (!)`, signs) ?? []);
  const trained = contenders.flatMap(({ name, trainedOn = 0 }) => (trainedOn === 0 ? [] : [
    `${trainedOn} of ${times(rows, 'prompt')} ${trainedOn === 1 ? 'is' : 'are'} in the training data of ${name}: what it answers there `
      + 'says little of prompts that it has not seen. Compare on prompts that none has learnt from.',
  ]));
  return [...trained, ...collapsed];
}

const signed = (write: (x: number) => string) => (x: number): string => (x > 0 ? `+${write(x)}` : write(x));
const times = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** How one fared against another: the outcomes, then what changed; marked where its answers show signs of a collapse. */
export function duelLines(
  { name, against, same, outcomes, winRate, lengthControlled, change, changeOverSeeds, followedPlace, mcnemar }: Duel,
  contenders: Comparison['contenders'] = [],
): string[] {
  const equal = `the same answer to ${times(same, 'prompt')}`;
  if (outcomes === undefined) return [`${name} against ${against}: ${equal}`];
  const { win, loss, tie, unrated } = outcomes;
  const missing = unrated === 0 ? [] : [`${unrated} without a rating`];
  const counts = [times(win, 'win'), times(loss, 'loss', 'losses'), times(tie, 'tie'), ...missing];
  const changes = NAMES.flatMap(([key, words, write]) => {
    const measured = change[key];
    const seeds = overSeeds(changeOverSeeds?.[key], signed(write));
    return measured === undefined ? [] : [`  ${words}, prompt by prompt: ${withInterval(measured, signed(write))}${seeds}`];
  });
  const verdicts = mcnemar === undefined ? [] : [
    `  verdicts: ${times(mcnemar.gained, 'prompt')} gained, ${mcnemar.lost} lost (McNemar's exact test: p = ${mcnemar.p.toPrecision(2)})`,
  ];
  const place = followedPlace === undefined ? [] : [`  the judge named the same place in both orders: ${times(followedPlace, 'prompt')}`];
  const rate = winRate === undefined ? '' : `; win rate, a tie as half: ${withInterval(winRate, percent)}`;
  const mark = contenders.some((one) => one.name === name && one.signs.length > 0) ? ' (!)' : '';
  return [
    `${name} against ${against}: ${counts.join(', ')}${rate}${mark}`,
    ...lengthLines(lengthControlled, winRate), ...changes, ...verdicts, ...place,
    `  ${equal}`,
  ];
}

/** The win rate at equal lengths, and whether it can be believed. */
function lengthLines(controlled: Duel['lengthControlled'], raw: Duel['winRate']): string[] {
  if (controlled === undefined) return [];
  // The fit's penalty takes away all that so few prompts say, and leaves one half.
  const { low, high } = controlled;
  if (Math.max(0.5 - low, high - 0.5) < 0.005 && raw?.mean !== 0.5)
    return [`  at equal lengths of the answers: ${controlled.n} prompts are too few to tell`];
  const doubt = '    It is far from the raw rate, so the fit may have failed: look at the answers.';
  return [`  at equal lengths of the answers: ${withInterval(controlled, percent)}`, ...(controlled.extreme ? [doubt] : [])];
}
