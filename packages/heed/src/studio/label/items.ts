/** What files of the project hold to be labelled by people. */
import { createHash } from 'node:crypto';

import type { LabelItem, Task } from '../../feedback/annotation.js';
import { readQuestions } from '../../judge/human-answers.js';
import type { Single } from '../../label/material.js';
import { badRequest } from '../../serve/api-error.js';
import type { LabelLook } from '../api.js';
import type { Project } from '../project.js';
import { type OpenedFile, openedFile } from './opened-file.js';

/** Items, and what of the files made none. */
export interface Found { readonly items: readonly LabelItem[]; readonly notes: readonly string[] }

/** What can be asked of people over these files: the tasks that fit. @throws UserError where a file cannot be read */
export async function lookAt(project: Project, files: readonly string[]): Promise<LabelLook> {
  const columns = await (await openedFile(project, files[0]!)).columns();
  const has = (...names: string[]): boolean => names.some((name) => columns.has(name));
  if (has('answer') && has('messages') && files.length === 1) return lookFor(project, files, ['questions']);
  if (files.length === 2 || has('chosen', 'responses')) return lookFor(project, files, ['pairs']);
  return lookFor(project, files, ['judgment', 'scores', 'pairs']);
}

async function lookFor(project: Project, files: readonly string[], tasks: readonly Task[]): Promise<LabelLook> {
  const found = await Promise.all(tasks.map(async (task) => ({ task, ...(await itemsOf(project, task, files)) })));
  const fitting = found.filter(({ items }) => items.length > 0);
  return {
    tasks: fitting.map(({ task, items }) => ({ task, items: items.length })),
    notes: [...new Set((fitting.length > 0 ? fitting.slice(0, 1) : found).flatMap(({ notes }) => notes))],
  };
}

/**
 * The items of files for a task. Two files are answers of two models to the same prompts.
 *
 * @throws UserError where a file cannot be read; ApiError 400 where a path leads out of the project
 */
export async function itemsOf(project: Project, task: Task, files: readonly string[]): Promise<Found> {
  if (files.length === 0 || files.length > 2) throw badRequest('files: one file, or two whose answers are to be compared.', 'files');
  if (task === 'questions') return questions(await project.inside(files[0]!));
  const [first, second] = await Promise.all(files.map((file) => openedFile(project, file))) as [OpenedFile, OpenedFile?];
  if (second !== undefined) {
    if (task !== 'pairs') throw badRequest('Two files are compared answer by answer: the task is pairs.', 'task');
    return twoModels([await singles(first), await singles(second)], [files[0]!, files[1]!]);
  }
  if (task !== 'pairs') {
    const { rows, notes } = await singles(first);
    return { notes, items: rows.map(({ id, prompt, completion }) => itemOf({ row: id, prompt, responses: [completion] })) };
  }
  const columns = await first.columns();
  return columns.has('chosen') || columns.has('responses') ? pairs(first) : samples(await singles(first));
}

/** The file alone knows who is which: whoever labels sees neither. */
async function pairs(file: OpenedFile): Promise<Found> {
  const { rows, skipped } = await file.pairs();
  return {
    notes: leftOut(skipped, 'rows have no two different answers'),
    items: rows.map(({ id, prompt, responses, human }) => {
      const models = human === undefined || human === 0.5 ? undefined : namesBy(human > 0.5);
      return itemOf({ row: id, prompt, responses, ...(models && { models }) });
    }),
  };
}

const namesBy = (firstChosen: boolean): string[] => (firstChosen ? ['chosen', 'rejected'] : ['rejected', 'chosen']);

async function singles(file: OpenedFile): Promise<Side> {
  const { rows, skipped } = await file.singles();
  return { rows, notes: leftOut(skipped, 'rows have no answer to label') };
}

const leftOut = (n: number, why: string): string[] => (n === 0 ? [] : [`${n} ${why}; they are left out.`]);

/** The first two different answers to each prompt of one file, as `heed generate -n 2` writes them. */
function samples({ rows, notes }: Side): Found {
  const items = [...grouped(rows, promptKey).values()].flatMap((own): LabelItem[] => {
    const other = own.find(({ completion }) => completion.trim() !== own[0]!.completion.trim());
    const [{ id, prompt, completion }] = own as [Single];
    return other === undefined ? [] : [itemOf({ row: id, prompt, responses: [completion, other.completion] })];
  });
  return { items, notes };
}

interface Side { readonly rows: readonly Single[]; readonly notes: readonly string[] }

/** Answers to the same row, or where rows have no ids to the same prompt: the first of one file beside the first of the other. */
function twoModels(
  [a, b]: readonly [Side, Side], models: readonly [string, string],
): Found {
  const named = [a, b].every(({ rows }) => new Set(rows.flatMap(({ id }) => id ?? [])).size === rows.length);
  const keyOf = (row: Single): string => JSON.stringify([named ? row.id : '', promptKey(row)]);
  const left = grouped(b.rows, keyOf);
  const count = { missing: 0, same: 0 };
  const items = a.rows.flatMap((row): LabelItem[] => {
    const other = left.get(keyOf(row))?.shift();
    if (other === undefined) count.missing++;
    else if (other.completion.trim() === row.completion.trim()) count.same++;
    else return [itemOf({ row: row.id, prompt: row.prompt, responses: [row.completion, other.completion], models })];
    return [];
  });
  const rest = [...left.values()].reduce((sum, own) => sum + own.length, 0);
  return {
    items,
    notes: [
      ...a.notes, ...b.notes, ...leftOut(count.missing, `answers of ${models[0]} have none beside them in ${models[1]}`),
      ...leftOut(rest, `answers of ${models[1]} have none beside them in ${models[0]}`),
      ...leftOut(count.same, 'pairs of answers are equal'),
    ],
  };
}

async function questions(path: string): Promise<Found> {
  const all = await readQuestions(path);
  return {
    notes: [],
    items: all.map(({ id, messages, begun, answers }) => (
      { key: id, prompt: messages, responses: [], ...(answers && { answers }), ...(begun !== undefined && { begun }) }
    )),
  };
}

const promptKey = ({ prompt }: Single): string => JSON.stringify(prompt.map(({ role, content }) => [role, content]));

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const same = groups.get(keyOf(one));
    if (same === undefined) groups.set(keyOf(one), [one]);
    else same.push(one);
  }
  return groups;
}

function itemOf(item: Omit<LabelItem, 'key'>): LabelItem {
  const content = JSON.stringify([item.prompt.map(({ role, content: text }) => [role, text]), item.responses]);
  const { row, ...rest } = item;
  return { key: createHash('sha256').update(content).digest('hex').slice(0, 24), ...rest, ...(row !== undefined && { row }) };
}
