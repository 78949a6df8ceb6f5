/** Labelling by people: what there is to label, one item after the other, and what was said. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Hono } from 'hono';
import { z } from 'zod';

import { type LabelSet, Said, TASKS, whyIncomplete, whyMisplaced } from '../../feedback/annotation.js';
import type { AnnotationStore } from '../../feedback/annotations.js';
import { FEEDBACK_KINDS } from '../../feedback/kinds.js';
import { atomicWrite } from '../../run/files.js';
import { ApiError, badRequest } from '../../serve/api-error.js';
import type { Exported, LabelHome, LabelSetLine } from '../api.js';
import type { StudioContext } from '../context.js';
import { dataFiles } from '../data-files.js';
import { itemsOf, lookAt } from '../label/items.js';
import { disagreements } from '../label/disagreements.js';
import { letGo } from '../label/opened-file.js';
import { resultsOf, rowsOfSet } from '../label/results.js';
import { setLine, stepOf, turnedSaid } from '../label/shown.js';
import { feedQuestions, goOn, waitingRuns } from '../label/waiting.js';
import { PEOPLE, knownPeople, peopleOf } from '../label/people.js';
import { bodyOf, queryOf } from '../request.js';

const name = z.string().trim().min(1).max(80).regex(/^\P{Cc}*$/u, 'expected no control characters');
const file = z.string().min(1).max(1000);
const place = z.coerce.number().int().min(0);
const Set = z.object({ set: z.string().min(1) });
const Person = Set.extend({ who: name });
const Words = Person.extend({ place: z.int().min(0), said: Said }).strict();
const Submit = Words.extend({ state: z.enum(['given', 'skipped']), seconds: z.number().min(0).max(86_400) }).strict();
const NewSet = z.strictObject({
  files: z.array(file).min(1).max(2), task: z.enum(TASKS), principles: z.array(name).max(12).default([]),
  scale: z.union([z.literal(5), z.literal(10)]).default(5), seed: z.int().min(0).default(0),
});
/** Milliseconds that results are waited for. After that the page is told how far counting has come. */
const PATIENCE = 60;
const Export = Set.extend({ kind: z.enum(FEEDBACK_KINDS), output: file }).strict();

export function labelRoutes(context: StudioContext): Hono {
  const { project } = context;
  const app = new Hono();

  app.get('/label', async (c) => {
    const store = await knownPeople(context);
    const sets = store === undefined ? [] : await Promise.all((await store.sets()).map(async (set): Promise<LabelSetLine> => (
      { ...set, people: await store.progress(set.id) }
    )));
    const [waiting, { files }] = await Promise.all([waitingRuns(context), dataFiles(project)]);
    return c.json({ store: PEOPLE, sets, waiting, files: files.map((one) => one.file) } satisfies LabelHome);
  });

  app.get('/label/look', async (c) => {
    const { file: first, second } = queryOf(c, z.object({ file, second: file.optional() }));
    return c.json(await lookAt(project, second === undefined ? [first] : [first, second]));
  });

  app.post('/label/sets', async (c) => {
    const given = await bodyOf(c, NewSet);
    if ((given.task === 'scores') !== (given.principles.length > 0))
      throw badRequest('Scores are given by principle: name at least one, and none for another task.', 'principles');
    const { items, notes } = await itemsOf(project, given.task, given.files);
    if (items.length === 0) throw badRequest(`There is nothing to label for this. ${notes.join(' ')}`.trim(), 'files');
    const store = await peopleOf(context);
    const id = createHash('sha256').update(JSON.stringify(given)).digest('hex').slice(0, 12);
    const set: LabelSet = { id, ...given, name: given.files.join(' and '), made: new Date().toISOString() };
    await store.fill(set, items);
    letGo(project);
    await feedQuestions(project, store, set);
    return c.json(await found(store, id));
  });

  app.get('/label/item', async (c) => {
    const { set: id, who, place: wanted } = queryOf(c, Person.extend({ place: place.optional() }));
    const store = await peopleOf(context);
    return c.json(await stepOf(store, await found(store, id), who, wanted ?? (await store.next(id, who))));
  });

  app.post('/label/draft', async (c) => {
    const { set: id, who, place: at, said } = await bodyOf(c, Words);
    const store = await peopleOf(context);
    const [item] = await store.items(id, [at]);
    if (item === undefined) throw noItem();
    await store.draft(id, at, who, turnedSaid(said, item.turned));
    return c.json({ ok: true });
  });

  app.post('/label/submit', async (c) => {
    const { set: id, who, place: at, said, state, seconds } = await bodyOf(c, Submit);
    const store = await peopleOf(context);
    const [set, [item]] = await Promise.all([store.set(id), store.items(id, [at])]);
    if (set === undefined || item === undefined) throw noItem();
    const meant = turnedSaid(said, item.turned);
    const fault = state === 'given' ? (whyIncomplete(set, said) ?? whyMisplaced(item, meant)) : undefined;
    if (fault !== undefined) throw badRequest(fault, 'said');
    if (state === 'given' && item.answers !== undefined && !item.answers.includes(said.answer!))
      throw badRequest(`The answer is none of ${item.answers.join(', ')}.`, 'said.answer');
    await store.submit({ set, place: at, who, said: meant, state, seconds });
    await feedQuestions(project, store, set, { place: at, who });
    return c.json(await stepOf(store, await found(store, id), who, await store.next(id, who, at + 1)));
  });

  app.post('/label/undo', async (c) => {
    const { set: id, who } = await bodyOf(c, Person.strict());
    const store = await peopleOf(context);
    const at = await store.undo(id, who);
    if (at === undefined) throw new ApiError(409, 'There is nothing to take back.', { code: 'nothing_to_undo' });
    const set = await found(store, id);
    await feedQuestions(project, store, set, { place: at, who });
    return c.json(await stepOf(store, set, who, at));
  });

  app.get('/label/results', async (c) => {
    const { set: id, reveal } = queryOf(c, Set.extend({ reveal: z.enum(['yes']).optional() }));
    const store = await peopleOf(context);
    return c.json(await resultsOf(store, await found(store, id), { reveal: reveal === 'yes', patience: PATIENCE }));
  });

  app.get('/label/disagreements', async (c) => {
    const { set: id, ...page } = queryOf(c, Set.extend({
      offset: place.default(0), limit: z.coerce.number().int().min(1).max(100).default(20),
    }));
    const store = await peopleOf(context);
    return c.json(await disagreements(store, await found(store, id), page));
  });

  app.post('/label/export', async (c) => {
    const { set: id, kind, output } = await bodyOf(c, Export);
    const path = await project.inside(output);
    if (existsSync(path)) throw new ApiError(409, `${output} is there already: name another file.`, { code: 'in_the_way' });
    if (!/\.jsonl$/.test(path)) throw badRequest('The file is JSON Lines: its name ends with .jsonl.', 'output');
    const store = await peopleOf(context);
    const { rows, leftOut } = await rowsOfSet(store, await found(store, id), kind);
    if (rows.length === 0) throw badRequest(`Nothing was said that makes ${kind} rows.`, 'kind');
    await atomicWrite(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return c.json({ file: project.named(path), rows: rows.length, leftOut } satisfies Exported);
  });

  app.post('/label/go-on', async (c) => {
    const { run } = await bodyOf(c, z.strictObject({ run: z.string().min(1) }));
    return c.json(await goOn(context, await project.runFolder(run)));
  });
  return app;
}

const noItem = (): ApiError => new ApiError(404, 'There is no such item.', { code: 'no_item' });

async function found(store: AnnotationStore, id: string): Promise<LabelSetLine> {
  const set = await setLine(store, id);
  if (set === undefined) throw new ApiError(404, `There is no set ${id}.`, { code: 'no_set' });
  return set;
}
