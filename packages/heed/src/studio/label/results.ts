/** What a set has come to: agreement of people, who won, and rows. */
import type { LabelSet, Said } from '../../feedback/annotation.js';
import { type AnnotatedItem, annotatedItems, annotationRows } from '../../feedback/annotation-rows.js';
import type { AnnotationStore } from '../../feedback/annotations.js';
import { FEEDBACK_KINDS } from '../../feedback/kinds.js';
import { binomialTest } from '../../label/statistics.js';
import { alphaInterval, cohenKappa, type Distance } from '../../run/agreement.js';
import { bootstrapInterval } from '../../run/statistics.js';
import type { AgreementShown, Disagreement, LabelResults, Part } from '../api.js';
import { setLine } from './shown.js';

/** One rating by one person. */
interface Rating { readonly place: number; readonly who: string; readonly value: string | number }

/** What was made of a set, until somebody says more. */
interface Made { readonly version: string; readonly all: readonly AnnotatedItem[] }
const made = new WeakMap<AnnotationStore, Map<string, Made>>();

/** Draws in all, so that a large set takes no longer: fewer resamples of more items. */
const MOST_DRAWS = 1e7;
const resamplesFor = (n: number, most: number): number => Math.max(100, Math.min(most, Math.floor(MOST_DRAWS / Math.max(1, n))));

async function annotated(store: AnnotationStore, set: string): Promise<readonly AnnotatedItem[]> {
  const version = await store.version(set);
  const kept = made.get(store) ?? new Map<string, Made>();
  made.set(store, kept);
  if (kept.get(set)?.version !== version) kept.set(set, { version, all: await annotatedItems(store, set) });
  return kept.get(set)!.all;
}

/** @param reveal Whether to say whose answers won, which ends blindness. */
export async function resultsOf(store: AnnotationStore, id: string, reveal: boolean): Promise<LabelResults | undefined> {
  const set = await setLine(store, id);
  if (set === undefined) return undefined;
  const all = await annotated(store, id);
  const kinds = FEEDBACK_KINDS.map((kind) => ({ kind, made: annotationRows(all, kind) }));
  const said = all.flatMap(({ annotations }) => annotations.map((one) => one.said));
  return {
    set,
    agreement: thingsOf(set).map(({ what, distance, valueOf }) => agreementIn(what, distance, ratings(all, valueOf), set.seed)),
    ...(set.task === 'pairs' && { place: placeOf(all) }),
    counts: countsOf(set, said),
    scores: set.principles.flatMap((name) => {
      const values = said.flatMap(({ scores }) => scores?.[name] ?? []);
      if (values.length === 0) return [];
      const bounds = [1, set.scale] as const;
      return [{ name, value: bootstrapInterval(values, { seed: set.seed, bounds, resamples: resamplesFor(values.length, 2000) }) }];
    }),
    ...(reveal && set.task === 'pairs' && outcomeOf(all, set)),
    rows: kinds.map(({ kind, made: { rows, leftOut } }) => ({ kind, rows: rows.length, leftOut })),
  };
}

interface Thing { readonly what: string; readonly distance: Distance; readonly valueOf: (said: Said) => string | number | undefined }

/** In what people can agree. */
function thingsOf({ task, principles }: LabelSet): Thing[] {
  if (task === 'pairs') return [{ what: 'which is better', distance: 'nominal', valueOf: ({ choice }) => choice }];
  if (task === 'judgment') {
    const valueOf = ({ satisfied }: Said): string | undefined => (satisfied === undefined ? undefined : String(satisfied));
    return [{ what: 'whether it is good', distance: 'nominal', valueOf }];
  }
  if (task === 'questions') return [{ what: 'the answer', distance: 'nominal', valueOf: ({ answer }) => answer }];
  return principles.map((name) => ({ what: name, distance: 'ordinal', valueOf: ({ scores }) => scores?.[name] }));
}

const ratings = (all: readonly AnnotatedItem[], valueOf: Thing['valueOf']): Rating[] =>
  all.flatMap(({ item: { place }, annotations }) => annotations.flatMap(({ who, said }): Rating[] => {
    const value = valueOf(said);
    return value === undefined ? [] : [{ place, who, value }];
  }));

function agreementIn(what: string, distance: Distance, given: readonly Rating[], seed: number): AgreementShown {
  const items = new Map<number, Rating[]>();
  for (const one of given) {
    const same = items.get(one.place);
    if (same === undefined) items.set(one.place, [one]);
    else same.push(one);
  }
  const several = [...items.values()].filter(({ length }) => length > 1);
  const units = several.map((own) => own.map(({ value }) => value));
  const alpha = alphaInterval(units, distance, { seed, resamples: resamplesFor(units.length, 1000) });
  const people = [...new Set(several.flatMap((own) => own.map(({ who }) => who)))].sort();
  const pairs = people.flatMap((a, i) => people.slice(i + 1).flatMap((b) => {
    const both = several.flatMap((own) => {
      const [x, y] = [own.find(({ who }) => who === a), own.find(({ who }) => who === b)];
      return x && y ? [[x.value, y.value] as const] : [];
    });
    if (both.length === 0) return [];
    const kappa = cohenKappa(both.map(([x]) => x), both.map(([, y]) => y));
    return [{ a, b, n: both.length, ...(kappa !== undefined && { kappa }), same: both.filter(([x, y]) => x === y).length }];
  }));
  return { what, both: several.length, pairs, ...(alpha && { alpha }) };
}

function placeOf(all: readonly AnnotatedItem[]): LabelResults['place'] {
  let [first, n] = [0, 0];
  for (const { item: { turned }, annotations } of all) {
    for (const { said: { choice } } of annotations) {
      if (typeof choice !== 'number') continue;
      n++;
      if (choice === (turned ? 1 : 0)) first++;
    }
  }
  return { first, n, p: binomialTest(first, n) };
}

function countsOf({ task }: LabelSet, said: readonly Said[]): LabelResults['counts'] {
  const count = (name: string, is: (one: Said) => boolean): { name: string; n: number } => ({ name, n: said.filter(is).length });
  if (task === 'pairs') {
    return [
      count('one is better', ({ choice }) => typeof choice === 'number'), count('tie', ({ choice }) => choice === 'tie'),
      count('with a reason', ({ judgment }) => (judgment ?? '') !== ''),
    ];
  }
  if (task === 'judgment') {
    return [
      count('good', ({ satisfied }) => satisfied === true), count('not good', ({ satisfied }) => satisfied === false),
      count('with a judgment', ({ judgment }) => (judgment ?? '') !== ''), count('with marked words', ({ spans = [] }) => spans.length > 0),
      count('with a correction', ({ correction }) => (correction ?? '') !== ''),
    ];
  }
  return [];
}

/** Who won, where the items say who gave which answer. */
function outcomeOf(all: readonly AnnotatedItem[], { seed, files }: LabelSet): Pick<LabelResults, 'outcome'> {
  // Two files in their order; else chosen before rejected.
  const names = files.length === 2 ? files : [...new Set(all.flatMap(({ item }) => item.models ?? []))].sort();
  if (names.length !== 2) return {};
  let [one, other, ties] = [0, 0, 0];
  const shares = all.flatMap(({ item: { models }, annotations }) => {
    const votes = annotations.flatMap(({ said: { choice } }) => choice ?? []);
    if (models === undefined || votes.length === 0) return [];
    const values = votes.map((choice) => {
      if (choice === 'tie') return 0.5;
      return models[choice] === names[0] ? 1 : 0;
    });
    one += values.filter((value) => value === 1).length;
    other += values.filter((value) => value === 0).length;
    ties += values.filter((value) => value === 0.5).length;
    return [values.reduce((a: number, b) => a + b, 0) / values.length];
  });
  if (shares.length === 0) return {};
  // An item counts once, however many people judged it: their votes are not independent.
  const [more, less] = [shares.filter((share) => share > 0.5).length, shares.filter((share) => share < 0.5).length];
  const rate = bootstrapInterval(shares, { seed, bounds: [0, 1], resamples: resamplesFor(shares.length, 10_000) });
  return { outcome: { models: [names[0]!, names[1]!], wins: [one, other], ties, rate, p: binomialTest(more, more + less) } };
}

/** Items on which people differ, those that differ most first. */
export async function disagreements(
  store: AnnotationStore, set: LabelSet, { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<Part<Disagreement>> {
  const things = thingsOf(set);
  const apart = ({ annotations }: AnnotatedItem): number => Math.max(0, ...things.map(({ valueOf }) => {
    const values = annotations.flatMap(({ said }) => valueOf(said) ?? []);
    const numbers = values.filter((value) => typeof value === 'number');
    if (set.task === 'scores') return numbers.length < 2 ? 0 : Math.max(...numbers) - Math.min(...numbers);
    return new Set(values).size - 1;
  }));
  const found = (await annotated(store, set.id)).map((one) => ({ one, by: apart(one) })).filter(({ by }) => by > 0);
  found.sort((a, b) => b.by - a.by || a.one.item.place - b.one.item.place);
  return {
    total: found.length,
    items: found.slice(offset, offset + limit).map(({ one: { item, annotations } }) => ({
      place: item.place, prompt: item.prompt, responses: item.responses,
      said: annotations.map(({ who, said }) => {
        const why = said.judgment ?? said.note ?? '';
        return { who, verdict: inWords(set, said), ...(why !== '' && { why }) };
      }),
    })),
  };
}

function inWords({ task, principles }: LabelSet, { choice, satisfied, answer, scores }: Said): string {
  if (task === 'pairs') return choice === 'tie' ? 'neither is better' : `${choice === 0 ? 'A' : 'B'} is better`;
  if (task === 'judgment') return satisfied ? 'good' : 'not good';
  return task === 'questions' ? (answer ?? '') : principles.map((name) => `${name} ${scores?.[name] ?? '–'}`).join(', ');
}

/** Rows of a kind of a set. */
export const rowsOfSet = async (store: AnnotationStore, set: string, kind: (typeof FEEDBACK_KINDS)[number]):
Promise<ReturnType<typeof annotationRows>> => annotationRows(await annotated(store, set), kind);
