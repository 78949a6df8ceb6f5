/** A log as it is understood, and what would be made of it. */
import { join } from 'node:path';
import { z } from 'zod';

import { type DoctorReport, examine } from '../data/doctor.js';
import type { LoadedData } from '../data/load.js';
import { parseRows } from '../data/parse.js';
import type { AnyRow } from '../data/rows.js';
import type { RawRow, Source } from '../data/source.js';
import { UserError } from '../errors.js';
import { type Inspection, inspectLog } from '../start/inspect.js';
import type { LoggedRow } from '../start/kinds.js';
import { linesOf } from '../start/left-out.js';
import { GROUPS } from '../start/parts.js';
import { type StartPlan, planStart } from '../start/plan.js';
import { readLog } from '../start/records.js';
import { ROLES, SAYS } from '../start/roles.js';
import { type Shape, shapesOf } from '../start/shapes.js';
import { numberIn, voteIn } from '../start/votes.js';
import type { Look, LookColumn, LookPlan, Problem, Remarked } from './api.js';
import type { Project } from './project.js';
import { speakerOf } from './speakers.js';
import { freeName, plainName } from './uploads.js';

/** The body of the requests of the page. */
export const LookBody = z.strictObject({
  file: z.string().min(1),
  columns: z.record(z.string(), z.string()).optional(),
  values: z.record(z.string(), z.enum(['good', 'bad', 'none'])).optional(),
  ignore: z.array(z.string()).optional(),
  comments: z.enum(['judgments', 'faults']).optional(),
  method: z.string().optional(),
  group: z.enum(GROUPS).optional(),
  speaker: z.string().min(1),
});
export type LookBody = z.infer<typeof LookBody>;

const MEANS = { good: true, bad: false, none: null } as const;

/** Reads a log as the user says. @throws UserError as `inspectLog` does */
export async function inspected(project: Project, { file, values = {}, columns, ignore, comments }: LookBody): Promise<Inspection> {
  const said = Object.entries(values).map(([value, word]): [string, boolean | null] => [value, MEANS[word]]);
  return inspectLog(await project.inside(file), { columns, ignore, comments, values: Object.fromEntries(said) });
}

/** Plans rows, recipe and run; paths are relative to the project folder, and nothing is there yet. @throws UserError as `planStart` does */
export async function planned(project: Project, log: Inspection, { file, method, group, speaker }: LookBody): Promise<StartPlan> {
  const name = plainName(file);
  const { id, model } = await speakerOf(project, speaker);
  return planStart({ ...log, file }, {
    folder: freeName(project, join('start', name)), runDir: freeName(project, join('runs', name)), ...(method && { method }),
    ...(group && { group }), ...(id !== 'default' && { model }),
  });
}

/** What there is to see of a log. What cannot be understood is a `problem` in it, with the columns that there are. */
export async function look(project: Project, body: LookBody): Promise<Look> {
  const roles = ROLES.map((role) => ({ role, says: SAYS[role] }));
  const about = { file: body.file, roles, questions: [], leftOut: [] };
  let log: Inspection;
  try {
    log = await inspected(project, body);
  } catch (error) {
    const problem = problemOf(error, body.file);
    const { records } = await readLog(await project.inside(body.file)).catch(() => ({ records: [] }));
    return { ...about, rows: records.length, columns: shapesOf(records).map((shape) => columnOf(shape, givenIn(body, shape))), problem };
  }
  const seen = {
    ...about, rows: log.lines, columns: log.shapes.map((shape) => columnOf(shape, takenIn(log, shape))),
    questions: log.questions.map(({ about: which, text, guess, choices }) => ({ about: which, text, guess, choices })),
  };
  try {
    const plan = await planned(project, log, body);
    return { ...seen, leftOut: plan.leftOut.map(({ reason, sources }) => remarked(reason, sources)), plan: shownPlan(plan) };
  } catch (error) {
    return { ...seen, leftOut: log.leftOut.map(({ reason, sources }) => remarked(reason, sources)), problem: problemOf(error, body.file) };
  }
}

function problemOf(error: unknown, file: string): Problem {
  if (!(error instanceof UserError)) throw error;
  // The page says a file by its name in the project.
  return { message: error.message.replace(/^\/\S*?(?=: )/, file), hints: error.hints };
}

const remarked = (name: string, sources: readonly Source[], advice?: string): Remarked =>
  ({ name, rows: sources.length, lines: linesOf(sources), advice });

type Meaning = 'good' | 'bad' | 'none' | 'unknown';
/** What a column was taken for; of the vote also what its values say. */
type Taken = Pick<LookColumn, 'role' | 'by'> & { readonly says?: (value: string) => Meaning };

function columnOf({ name, form, filled, common }: Shape, { says, ...taken }: Taken): LookColumn {
  return {
    name, form, filled, ...taken,
    common: common.map(({ value, rows }) => ({ value: value.slice(0, 200), rows, ...(says && { says: says(value) }) })),
  };
}

function takenIn({ columns, values: { given, zero, against } }: Inspection, { name }: Shape): Taken {
  const taken = [...columns.values()].find(({ column }) => column === name);
  if (taken?.role !== 'vote') return taken === undefined ? {} : { role: taken.role, by: taken.by };
  const says = (value: string): Meaning => {
    const own = given[value];
    if (own !== undefined) return own === null ? 'none' : wordOf(own);
    const vote = voteIn(numberIn(value) ?? value, zero);
    if (vote === undefined) return 'unknown';
    return vote === null ? 'none' : wordOf(vote !== against);
  };
  return { role: taken.role, by: taken.by, says };
}

/** What the reader said of a column of a log that is not understood yet. */
function givenIn({ columns = {}, values = {} }: LookBody, { name }: Shape): Taken {
  const role = Object.keys(columns).find((one) => columns[one] === name);
  if (role !== 'vote') return role === undefined ? {} : { role, by: 'given' };
  return { role, by: 'given', says: (value) => values[value] ?? 'unknown' };
}

const wordOf = (good: boolean): 'good' | 'bad' => (good ? 'good' : 'bad');

function shownPlan(plan: StartPlan): LookPlan {
  const { fits, taken, parts, words, recipe } = plan;
  const { counts, findings } = doctored(plan);
  return {
    fits: fits.map(({ method, kind, rows, why }) => ({ method, kind, rows, why })), method: taken.method, kind: taken.kind,
    group: parts.by, train: parts.train.length, heldOut: parts.heldOut.length, words, recipe, counts,
    findings: findings.map(({ name, sources, advice }) => remarked(name, sources, advice)),
  };
}

/** Rows of a plan in Heed's own reading: what training will see. */
export function rowsIn({ taken, parts }: StartPlan): LoadedData<AnyRow> {
  const raw = (rows: readonly LoggedRow[]): RawRow[] => rows.map(({ answer, fields }) => ({ source: answer.source, fields }));
  const read = (rows: readonly LoggedRow[]): ReturnType<typeof parseRows> | undefined =>
    (rows.length === 0 ? undefined : parseRows(taken.kind, raw(rows), { junk: 'skip' }));
  const [train, held] = [read(parts.train), read(parts.heldOut)];
  return {
    train: (train?.rows ?? []) as AnyRow[], eval: (held?.rows ?? []) as AnyRow[],
    skipped: [...(train?.skipped ?? []), ...(held?.skipped ?? [])], unused: train?.unused ?? [], notices: train?.notices ?? [],
  };
}

const doctored = (plan: StartPlan): DoctorReport => examine(plan.taken.kind, rowsIn(plan) as never);
