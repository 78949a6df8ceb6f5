/** Items as people see them: blind, and in the order of showing. */
import type { Said } from '../../feedback/annotation.js';
import type { AnnotationStore, PlacedItem } from '../../feedback/annotations.js';
import type { LabelSetLine, LabelStep, ShownItem } from '../api.js';

/** Between the item's order and that of showing; it is its own way back. */
export function turnedSaid(said: Said, turned: boolean): Said {
  if (!turned) return said;
  const { choice, spans } = said;
  return {
    ...said, ...(typeof choice === 'number' && { choice: choice === 0 ? 1 : 0 }),
    ...(spans && { spans: spans.map((span) => ({ ...span, response: 1 - span.response })) }),
  };
}

/** Without the names of who answered: they stay on the server. */
export async function shownItem(store: AnnotationStore, set: string, who: string, item: PlacedItem): Promise<ShownItem> {
  const { said, state, draft } = await store.of(set, item.place, who);
  const { place, row, prompt, responses, answers, begun, turned } = item;
  return {
    place, prompt, responses: turned ? [...responses].reverse() : responses, ...(row !== undefined && { row }), ...(answers && { answers }),
    ...(begun !== undefined && { begun }), ...(said && { said: turnedSaid(said, turned) }), ...(state && { state }),
    ...(draft && { draft: turnedSaid(draft, turned) }),
  };
}

export async function setLine(store: AnnotationStore, id: string): Promise<LabelSetLine | undefined> {
  const set = await store.set(id);
  return set && { ...set, people: await store.progress(id) };
}

/** A person's next step: the item of a place, or the next of which the person said nothing. */
export async function stepOf(store: AnnotationStore, set: LabelSetLine, who: string, place: number | undefined): Promise<LabelStep> {
  const [item] = place === undefined ? [] : await store.items(set.id, [place]);
  return { set, ...(item && { item: await shownItem(store, set.id, who, item) }) };
}
