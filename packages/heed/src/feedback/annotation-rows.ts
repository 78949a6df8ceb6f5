/** Training rows out of what people said of answers that they were shown. */
import { setImmediate } from 'node:timers/promises';
import type { Message } from '../text/template.js';
import type { LabelSet, Said } from './annotation.js';
import type { Annotation, AnnotationStore, PlacedItem } from './annotations.js';
import type { FeedbackKind } from './kinds.js';
import { type FeedbackRows, simple } from './rows.js';

/** An item with what people said of it. */
export interface AnnotatedItem {
  readonly set: LabelSet;
  readonly item: PlacedItem;
  readonly annotations: readonly Pick<Annotation, 'who' | 'said'>[];
}

/** Rows of an item, or why it makes none. */
type Made = readonly object[] | string;

const UNSAID = 'items that lack what this kind of row needs';
const SAME = 'corrections equal to the answer';

const MAKE: Readonly<Record<FeedbackKind, (one: AnnotatedItem) => Made>> = {
  judged: (one) => single(one, ({ said: { satisfied, judgment, spans }, who }, row) => {
    if (satisfied === undefined) return UNSAID;
    if (!satisfied && isEmpty(judgment)) return 'answers that were called bad without words';
    return [{ ...row, judgment: isEmpty(judgment) ? null : judgment, satisfied, ...marked(spans), who }];
  }),
  refined: (one) => single(one, ({ said: { judgment, correction, spans }, who }, row) => {
    if (isEmpty(correction)) return UNSAID;
    if (isEmpty(judgment)) return 'corrections without a judgment';
    return correction === row.completion ? SAME : [{ ...row, judgment, satisfied: false, refinement: correction, ...marked(spans), who }];
  }),
  preference: (one) => (one.set.task === 'pairs' ? voted(one) : single(one, ({ said: { correction }, who }, { completion, ...row }) => {
    if (isEmpty(correction)) return UNSAID;
    return correction === completion ? SAME : [{ ...row, chosen: correction, rejected: completion, who }];
  })),
  labelled: (one) => each(one, (row) => {
    const votes = one.annotations.flatMap(({ said: { satisfied } }) => satisfied ?? []);
    if (votes.length === 0) return UNSAID;
    const good = votes.filter(Boolean).length;
    return good * 2 === votes.length ? 'answers of which as many people thought well as ill' : [{ ...row, label: good * 2 > votes.length }];
  }),
  scored: (one) => each(one, (row) => {
    const scores = Object.fromEntries(one.set.principles.flatMap((name) => {
      const given = one.annotations.flatMap(({ said }) => said.scores?.[name] ?? []);
      return given.length === 0 ? [] : [[name, mean(given)] as const];
    }));
    return Object.keys(scores).length === 0 ? UNSAID : [{ ...row, score: mean(Object.values(scores)), scores }];
  }),
  conversation: (one) => single(one, ({ said: { correction, satisfied }, who }, { completion, prompt: _, ...row }) => {
    const content = isEmpty(correction) ? completion : correction;
    if (isEmpty(correction) && satisfied !== true) return satisfied === false ? 'answers that were called bad' : UNSAID;
    return [{ ...row, messages: [...one.item.prompt, { role: 'assistant', content }], who }];
  }),
};

/** Rows of one kind. People who say different things of one item make a row each, unless the kind has one number for all of them. */
export function annotationRows(all: readonly AnnotatedItem[], kind: FeedbackKind): FeedbackRows {
  const leftOut: Record<string, number> = {};
  const rows = all.flatMap((one) => {
    const made = MAKE[kind](one);
    if (typeof made !== 'string') return made;
    leftOut[made] = (leftOut[made] ?? 0) + 1;
    return [];
  });
  return { rows, leftOut };
}

/** The items of some places of which somebody said something. */
export async function annotatedAt(store: AnnotationStore, set: LabelSet, places: readonly number[]): Promise<AnnotatedItem[]> {
  const byPlace = new Map<number, Annotation[]>();
  for (const one of await store.annotations(set.id, places)) {
    const same = byPlace.get(one.place);
    if (same === undefined) byPlace.set(one.place, [one]);
    else same.push(one);
  }
  const items = byPlace.size === 0 ? [] : await store.items(set.id, [...byPlace.keys()]);
  return items.map((item) => ({ set, item, annotations: byPlace.get(item.place)! }));
}

/** Places that are read at once. */
const PART = 200;

/** A part of a set, with how many of its items were gone through. */
export interface AnnotatedPart { readonly done: number; readonly items: readonly AnnotatedItem[] }

/** All items of a set of which somebody said something, part by part: a process that serves people serves them between two parts. */
export async function* annotatedParts(store: AnnotationStore, set: LabelSet & { readonly items: number }): AsyncGenerator<AnnotatedPart> {
  for (let from = 0; from < set.items; from += PART) {
    if (from > 0) await setImmediate();
    const done = Math.min(from + PART, set.items);
    yield { done, items: await annotatedAt(store, set, Array.from({ length: done - from }, (_, i) => from + i)) };
  }
}

/** All items of which somebody said something. Questions of runs are no rows. */
export async function annotatedItems(store: AnnotationStore): Promise<AnnotatedItem[]> {
  const all: AnnotatedItem[] = [];
  for (const set of await store.sets()) {
    if (set.task === 'questions') continue;
    for await (const { items } of annotatedParts(store, set)) all.push(...items);
  }
  return all;
}

interface Row { readonly id?: string; readonly prompt: string | readonly Message[]; readonly completion: string }

const isEmpty = (text: string | undefined): text is undefined => text === undefined || text.trim() === '';
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const marked = (spans: Said['spans'] = []): object =>
  (spans.length === 0 ? {} : { spans: spans.map(({ quote, start, end }) => ({ quote, start, end })) });
const idOf = ({ row }: PlacedItem): object => (row === undefined ? {} : { id: row });

/** A row of an item with one answer. */
function each({ item }: AnnotatedItem, make: (row: Row) => Made): Made {
  const [completion, second] = item.responses;
  if (completion === undefined || second !== undefined) return UNSAID;
  return make({ ...idOf(item), prompt: simple(item.prompt), completion });
}

/** Rows of each person's own words. The reason counts where no person's words make a row. */
function single(one: AnnotatedItem, make: (said: AnnotatedItem['annotations'][number], row: Row) => Made): Made {
  return each(one, (row) => {
    const made = one.annotations.map((said) => make(said, row));
    const rows = made.flatMap((own) => (typeof own === 'string' ? [] : own));
    return rows.length > 0 ? rows : (made.find((own) => typeof own === 'string' && own !== UNSAID) ?? UNSAID);
  });
}

/** The answer that more people chose; where they differ, with the share that did. A tie counts half for either side. */
function voted({ item, annotations }: AnnotatedItem): Made {
  const votes = annotations.flatMap(({ said: { choice } }) => choice ?? []);
  if (votes.length === 0) return UNSAID;
  const first = votes.reduce<number>((sum, choice) => sum + (choice === 'tie' ? 0.5 : 1 - choice), 0) / votes.length;
  if (first === 0.5) return 'pairs of which neither answer was better';
  const better = first > 0.5 ? 0 : 1;
  const share = Math.max(first, 1 - first);
  return [{
    ...idOf(item), prompt: simple(item.prompt), chosen: item.responses[better]!, rejected: item.responses[1 - better]!,
    ...(share < 1 && { soft_label: share }), votes: votes.length,
  }];
}
