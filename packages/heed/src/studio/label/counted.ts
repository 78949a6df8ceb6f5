/** What one item adds to the counts of its set. From these counts all results follow, so that no item has to be read again. */
import type { LabelSet, Said } from '../../feedback/annotation.js';
import { type AnnotatedItem, annotationRows } from '../../feedback/annotation-rows.js';
import { FEEDBACK_KINDS, type FeedbackKind } from '../../feedback/kinds.js';
import type { Distance } from '../../run/agreement.js';

/** A rating: a verdict, or the score for a principle. */
export type Rating = string | number;

/** What is counted. Each is as often in an item as it stands for. */
export type Counted =
  /** A number of the results page by its name. */
  | readonly ['said', name: string]
  /** The ratings of an item by all people, sorted. */
  | readonly ['ratings', what: string, ratings: readonly Rating[]]
  /** Those of two people, in the order of their names. */
  | readonly ['two', what: string, a: string, b: string, ofA: Rating, ofB: Rating]
  /** Which answer of a pair was chosen, in the order of showing. */
  | readonly ['side', side: 'first' | 'second']
  | readonly ['score', principle: string, score: number]
  /** A vote for a model, or a tie. */
  | readonly ['vote', model: string | null]
  /** An item's share of votes for the first of two models. */
  | readonly ['share', models: readonly [string, string], share: number]
  /** A row of a kind, or the reason for none. */
  | readonly ['row', FeedbackKind]
  | readonly ['no row', FeedbackKind, reason: string];

/** What an item adds, and how far people are apart in it: 0 where they agree. */
export interface ItemCounts { readonly counted: readonly Counted[]; readonly apart: number }

/** Something in which people can agree. */
export interface Thing { readonly what: string; readonly distance: Distance; readonly valueOf: (said: Said) => Rating | undefined }

export function thingsOf({ task, principles }: LabelSet): Thing[] {
  if (task === 'pairs') return [{ what: 'which is better', distance: 'nominal', valueOf: ({ choice }) => choice }];
  if (task === 'judgment') {
    const valueOf = ({ satisfied }: Said): string | undefined => (satisfied === undefined ? undefined : String(satisfied));
    return [{ what: 'whether it is good', distance: 'nominal', valueOf }];
  }
  if (task === 'questions') return [{ what: 'the answer', distance: 'nominal', valueOf: ({ answer }) => answer }];
  return principles.map((name) => ({ what: name, distance: 'ordinal', valueOf: ({ scores }) => scores?.[name] }));
}

const isThere = (text: string | undefined): boolean => (text ?? '') !== '';

/** What is counted of everything that is said, by task. */
export const COUNTS: Readonly<Record<LabelSet['task'], Readonly<Record<string, (said: Said) => boolean>>>> = {
  pairs: {
    'one is better': ({ choice }) => typeof choice === 'number', tie: ({ choice }) => choice === 'tie',
    'with a reason': ({ judgment }) => isThere(judgment),
  },
  judgment: {
    good: ({ satisfied }) => satisfied === true, 'not good': ({ satisfied }) => satisfied === false,
    'with a judgment': ({ judgment }) => isThere(judgment), 'with marked words': ({ spans = [] }) => spans.length > 0,
    'with a correction': ({ correction }) => isThere(correction),
  },
  scores: {}, questions: {},
};

const saidIn = (task: LabelSet['task'], said: Said): Counted[] =>
  Object.entries(COUNTS[task]).flatMap(([name, is]): Counted[] => (is(said) ? [['said', name]] : []));

export function countsOf(one: AnnotatedItem): ItemCounts {
  const { set, annotations } = one;
  const ratings = thingsOf(set).map(({ what, valueOf }) => ({
    what, given: annotations.flatMap(({ who, said }) => {
      const value = valueOf(said);
      return value === undefined ? [] : [{ who, value }];
    }),
  }));
  return {
    counted: [
      ...annotations.flatMap(({ said }) => saidIn(set.task, said)),
      ...ratings.flatMap(({ what, given }) => agreementIn(what, given)),
      ...annotations.flatMap(({ said }) => Object.entries(said.scores ?? {}).map(([name, score]): Counted => ['score', name, score])),
      ...(set.task === 'pairs' ? chosenIn(one) : []),
      ...FEEDBACK_KINDS.flatMap((kind) => rowsIn(one, kind)),
    ],
    apart: Math.max(0, ...ratings.map(({ given }) => spread(given.map(({ value }) => value)))),
  };
}

/** How far ratings lie apart: scores by their range, verdicts by how many different ones there are. */
function spread(values: readonly Rating[]): number {
  const numbers = values.filter((value) => typeof value === 'number');
  return numbers.length === values.length && numbers.length > 1
    ? Math.max(...numbers) - Math.min(...numbers) : Math.max(0, new Set(values).size - 1);
}

function agreementIn(what: string, given: readonly { readonly who: string; readonly value: Rating }[]): Counted[] {
  if (given.length < 2) return [];
  const sorted = [...given].sort((a, b) => (a.who < b.who ? -1 : 1));
  return [
    ['ratings', what, given.map(({ value }) => value).sort((a, b) => (String(a) < String(b) ? -1 : 1))],
    ...sorted.flatMap((a, i) => sorted.slice(i + 1).map((b): Counted => ['two', what, a.who, b.who, a.value, b.value])),
  ];
}

function chosenIn({ set: { files }, item: { turned, models }, annotations }: AnnotatedItem): Counted[] {
  const votes = annotations.flatMap(({ said: { choice } }) => choice ?? []);
  const sides = votes.flatMap((choice): Counted[] => (
    choice === 'tie' ? [] : [['side', choice === (turned ? 1 : 0) ? 'first' : 'second']]
  ));
  if (models === undefined || votes.length === 0) return sides;
  // Two files in their order; else chosen before rejected.
  const [first, second] = files.length === 2 ? files : [...models].sort();
  const values = votes.map((choice): number => {
    if (choice === 'tie') return 0.5;
    return models[choice] === first ? 1 : 0;
  });
  return [
    ...sides, ...votes.map((choice): Counted => ['vote', choice === 'tie' ? null : models[choice]!]),
    ['share', [first!, second!], values.reduce((a, b) => a + b, 0) / values.length],
  ];
}

function rowsIn(one: AnnotatedItem, kind: FeedbackKind): Counted[] {
  const { rows, leftOut } = annotationRows([one], kind);
  return [...rows.map((): Counted => ['row', kind]), ...Object.keys(leftOut).map((reason): Counted => ['no row', kind, reason])];
}
