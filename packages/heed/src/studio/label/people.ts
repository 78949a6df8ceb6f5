/** The database of what people said, one for a project. */
import { existsSync } from 'node:fs';

import { type AnnotationStore, openAnnotations } from '../../feedback/annotations.js';
import type { StudioContext } from '../context.js';

/** Its name in the project folder. */
export const PEOPLE = 'people.db';

const opened = new WeakMap<StudioContext, Promise<AnnotationStore>>();

/** Opens it, making it where there is none. It is closed when the studio ends. */
export async function peopleOf(context: StudioContext): Promise<AnnotationStore> {
  const open = opened.get(context) ?? openIn(context);
  opened.set(context, open);
  // What failed is tried again by the next request.
  open.catch(() => opened.delete(context));
  return open;
}

/** The same where it is there; undefined where nobody said anything yet. */
export async function knownPeople(context: StudioContext): Promise<AnnotationStore | undefined> {
  return opened.has(context) || existsSync(await context.project.inside(PEOPLE)) ? peopleOf(context) : undefined;
}

async function openIn({ project, signal }: StudioContext): Promise<AnnotationStore> {
  const store = await openAnnotations(await project.inside(PEOPLE));
  signal.addEventListener('abort', () => store.close(), { once: true });
  return store;
}
