/** Where people differ, to be talked over. */
import type { LabelSet, Said } from '../../feedback/annotation.js';
import { annotatedAt } from '../../feedback/annotation-rows.js';
import type { AnnotationStore } from '../../feedback/annotations.js';
import type { Disagreement, LabelSetLine, Part } from '../api.js';
import { tallyOf } from './tally.js';

/** Items on which people differ, those that differ most first. */
export async function disagreements(
  store: AnnotationStore, set: LabelSetLine, { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<Part<Disagreement>> {
  const tally = await tallyOf(store, set);
  if ('done' in tally) throw new Error('The counting ended before it was done.');
  const places = tally.apart();
  const shown = places.slice(offset, offset + limit);
  const found = new Map((await annotatedAt(store, set, shown)).map((one) => [one.item.place, one]));
  return {
    total: places.length,
    items: shown.flatMap((place) => found.get(place) ?? []).map(({ item: { place, prompt, responses }, annotations }) => ({
      place, prompt, responses,
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
