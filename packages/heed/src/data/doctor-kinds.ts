import { ordersAgree } from './agreed-score.js';
import { excerpt } from './problem.js';
import type { AnyRow, ChoiceRow, ClassifiedRow, CompletionRow, ConversationRow, LabelledRow, NegativeRow, PreferenceRow, PrincipledRow, RefinedRow, RowKind, RowKinds, ScoredRow } from './rows.js';
import { type Table, histogram, summary, tallied } from './table.js';

/** Rows with the same thing to say about them. */
export interface Remark {
  readonly name:
    | 'bad responses'
    | 'one class only'
    | 'labels that look alike'
    | 'soft label favours rejected'
    | 'soft label prefers neither'
    | 'no positives'
    | 'repeated positives'
    | 'answer always in one place'
    | 'targets prefer nothing'
    | 'one score only'
    | 'unsatisfied without refinement'
    | 'refinement equals completion'
    | 'no principle decides'
    | 'orders disagree';
  readonly rows: readonly AnyRow[];
  readonly advice: string;
}

/** What is particular to a kind of row. */
export interface View {
  readonly tables?: readonly Table[];
  readonly remarks?: readonly Remark[];
}

const views: { readonly [K in RowKind]?: (rows: readonly RowKinds[K][]) => View } = {
  conversation: viewAnswers,
  completion: viewAnswers,
  preference: viewPreference,
  labelled: viewLabelled,
  classified: viewClassified,
  negative: viewNegative,
  choice: viewChoice,
  scored: viewScored,
  refined: viewRefined,
  principled: viewPrincipled,
};

/** Tables and remarks for one kind of row; nothing for the kinds about which there is nothing particular to say. */
export function viewOf<K extends RowKind>(kind: K, rows: readonly RowKinds[K][]): View {
  return views[kind]?.(rows) ?? {};
}

function viewAnswers(rows: readonly (ConversationRow | CompletionRow)[]): View {
  return {
    remarks: [{ name: 'bad responses', rows: rows.filter(({ satisfied }) => satisfied === false), advice: 'satisfied or label says that the response is bad; sft leaves such rows out' }],
  };
}

function viewPreference(rows: readonly PreferenceRow[]): View {
  const soft = rows.flatMap(({ soft_label }) => soft_label ?? []);
  const margins = rows.flatMap(({ margin }) => margin ?? []);
  const hard = rows.length - soft.length;
  return {
    tables: [
      ...(soft.length === 0 ? [] : [histogram(`soft_label: ${summary(soft)}${hard === 0 ? '' : `; ${hard} of ${rows.length} rows have none and count as certain`}`, soft, { from: 0, to: 1 })]),
      ...(margins.length === 0 ? [] : [histogram(`margin: ${summary(margins)}`, margins)]),
    ],
    remarks: [
      { name: 'soft label favours rejected', rows: rows.filter(({ soft_label = 1 }) => soft_label < 0.5), advice: 'soft_label is the probability that chosen is better; below 0.5 it says the opposite' },
      { name: 'soft label prefers neither', rows: rows.filter(({ soft_label }) => soft_label === 0.5), advice: 'soft_label is 0.5: such a pair pulls both responses together and ranks nothing' },
    ],
  };
}

function viewLabelled(rows: readonly LabelledRow[]): View {
  return { remarks: [oneClass(rows, 'there is nothing to tell apart: losses for votes (KTO, BCO) need good and bad rows')] };
}

function viewClassified(rows: readonly ClassifiedRow[]): View {
  const spellings = new Map<string, Set<string>>();
  for (const { label } of rows) {
    const key = label.toLowerCase().replace(/[\s_-]+/g, ' ');
    spellings.set(key, (spellings.get(key) ?? new Set()).add(label));
  }
  const alike = [...spellings.values()].filter((names) => names.size > 1);
  const names = new Set(alike.flatMap((group) => [...group]));
  return {
    tables: [tallied('label', rows.map(({ label }) => excerpt(label)))],
    remarks: [
      oneClass(rows, 'a classifier of one class learns to say it always'),
      {
        name: 'labels that look alike',
        rows: rows.filter(({ label }) => names.has(label)),
        advice: `${alike.map((group) => [...group].map(excerpt).join(' and ')).join('; ')} count as different classes; write them the same way if they are one`,
      },
    ],
  };
}

function oneClass(rows: readonly (LabelledRow | ClassifiedRow)[], advice: string): Remark {
  const classes = new Set(rows.map(({ label }) => label));
  return { name: 'one class only', rows: classes.size === 1 ? rows : [], advice: `every row is ${excerpt([...classes][0])}; ${advice}` };
}

function viewNegative(rows: readonly NegativeRow[]): View {
  const some = rows.some(({ positives }) => positives !== undefined);
  const repeated = (positives: readonly string[] = []): boolean => new Set(positives.map((text) => text.trim())).size < positives.length;
  return {
    tables: [tallied('positives per row', rows.map(({ positives = [] }) => positives.length))],
    remarks: [
      { name: 'no positives', rows: some ? rows.filter(({ positives }) => positives === undefined) : [], advice: 'other rows have positives; a method that needs them cannot use these until some are made' },
      { name: 'repeated positives', rows: rows.filter(({ positives }) => repeated(positives)), advice: 'the same positive occurs more than once in the row and weighs as often' },
    ],
  };
}

function viewChoice(rows: readonly ChoiceRow[]): View {
  const best = rows.map(({ targets }) => Math.max(...targets));
  const places = rows.map(({ targets }) => targets.indexOf(Math.max(...targets)));
  const tie = ({ targets }: ChoiceRow): boolean => targets.every((target) => target === targets[0]);
  const always = rows.length > 1 && new Set(places).size === 1;
  const kinds = new Set(rows.flatMap(({ choices }) => choices));
  // The answers of a judge ("A", "B"; "1" … "10") are few and the same in every row; those of a quiz are not.
  const few = kinds.size <= 20 && rows.length > kinds.size;
  return {
    tables: [
      tallied('choices per row', rows.map(({ choices }) => choices.length)),
      tallied('most probable choice, by place', places.map((place) => place + 1)),
      ...(few ? [tallied('most probable choice', rows.map(({ choices }, i) => excerpt(choices[places[i] ?? 0])))] : []),
      ...(best.every((p) => p === 1) ? [] : [histogram(`probability of the most probable choice: ${summary(best)}`, best, { from: 0, to: 1 })]),
    ],
    remarks: [
      { name: 'answer always in one place', rows: always ? rows : [], advice: `the most probable choice is number ${(places[0] ?? 0) + 1} in every row, so place alone answers all; shuffle the choices` },
      { name: 'targets prefer nothing', rows: rows.filter(tie), advice: 'all targets of the row are equal; it teaches indifference' },
    ],
  };
}

function viewScored(rows: readonly ScoredRow[]): View {
  const scores = rows.map(({ score }) => score);
  return {
    tables: [histogram(`score: ${summary(scores)}`, scores)],
    remarks: [{ name: 'one score only', rows: rows.length > 1 && new Set(scores).size === 1 ? rows : [], advice: `every score is ${scores[0]}; it says nothing of which response is better` }],
  };
}

function viewRefined(rows: readonly RefinedRow[]): View {
  const word = ({ satisfied, refinement }: RefinedRow): string => `${satisfied ? 'satisfied' : 'unsatisfied'}, ${refinement === undefined ? 'no refinement' : 'refined'}`;
  return {
    tables: [tallied('refinements', rows.map(word))],
    remarks: [
      {
        name: 'unsatisfied without refinement',
        rows: rows.some(({ refinement }) => refinement !== undefined) ? rows.filter(({ satisfied, refinement }) => !satisfied && refinement === undefined) : [],
        advice: 'other rows are refined; nothing better than these responses is known',
      },
      { name: 'refinement equals completion', rows: rows.filter(({ refinement, completion }) => refinement?.trim() === completion.trim()), advice: 'the judgment changed nothing; as a pair the row would prefer nothing' },
    ],
  };
}

function viewPrincipled(rows: readonly PrincipledRow[]): View {
  const all = rows.flatMap(({ principles }) => principles);
  const disagree = ({ scores }: { readonly scores?: readonly [number, number] }): boolean => scores !== undefined && !ordersAgree(scores);
  const verdicts = all.map(({ name, score }) => `${excerpt(name)} ${score > 0 ? 'first' : score < 0 ? 'second' : 'neither'}`);
  return {
    tables: [
      tallied('principles per row', rows.map(({ principles }) => principles.length)),
      tallied('which response a principle prefers', verdicts),
      histogram(`score: ${summary(all.map(({ score }) => score))}`, all.map(({ score }) => score)),
    ],
    remarks: [
      { name: 'no principle decides', rows: rows.filter(({ principles }) => principles.every(({ score }) => score === 0)), advice: 'every score is 0, so no sampled principle can choose a response' },
      { name: 'orders disagree', rows: rows.filter(({ principles }) => principles.some(disagree)), advice: 'by some principle the judge prefers the place, not the response; SALMON counts such a score as 0' },
    ],
  };
}
