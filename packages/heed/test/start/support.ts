import { inspectLog, type Inspection, type LogOptions } from '../../src/start/inspect.js';
import { planStart, type StartPlan } from '../../src/start/plan.js';

/** A plan of a log with guesses taken. */
export async function planned(
  file: string,
  log: LogOptions = {},
  options: Partial<Parameters<typeof planStart>[1]> = {},
): Promise<{ readonly log: Inspection; readonly plan: StartPlan }> {
  const found = await inspectLog(file, log);
  return { log: found, plan: await planStart(found, { folder: 'out', runDir: 'runs/out', ...options }) };
}

/** Role → column. */
export const rolesOf = ({ columns }: Inspection): Record<string, string> =>
  Object.fromEntries([...columns].map(([role, { column }]) => [role, column]));

/** All rows, in the order of the log. */
export const rowsOf = ({ parts: { train, heldOut } }: StartPlan): Readonly<Record<string, unknown>>[] =>
  [...train, ...heldOut].sort((a, b) => a.answer.source.line - b.answer.source.line).map(({ fields }) => fields);

/** Reason → lines. */
export const leftOutOf = ({ leftOut }: Pick<StartPlan, 'leftOut'>): Record<string, number[]> =>
  Object.fromEntries(leftOut.map(({ reason, sources }) => [reason, sources.map(({ line }) => line)]));

export const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
