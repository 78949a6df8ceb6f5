/** What `heed inspect` finds out about a label recipe: the data doctor's report and what there is to label. No model is loaded or asked. */
import { z } from 'zod';

import { type DoctorReport, examine } from '../data/doctor.js';
import { loadData } from '../data/load.js';
import { type Problem, listProblems } from '../data/problem.js';
import { readRows } from '../data/read.js';
import { renderDoctor } from '../data/render-doctor.js';
import { describeJudge } from '../judge/open.js';
import { labelKind, readPairs, readPrompts, readSingles } from '../label/material.js';
import { loadLabelRecipe } from '../label/recipe.js';
import { loadRecipe } from '../run/recipe.js';

export interface LabelInspection {
  readonly recipe: string;
  readonly labeler: string;
  readonly judge: string;
  readonly doctor: DoctorReport;
  readonly skipped: readonly Problem[];
  readonly toLabel: {
    readonly what: 'pairs' | 'singles' | 'prompts';
    readonly rows: number;
    /** Rows that people have labelled already. */
    readonly withHuman: number;
    /** Rows with nothing to label. */
    readonly leftOut: number;
  };
}

/** Reads a label recipe and its data as `heed label` would, but always leaves junk out. Gives undefined for a recipe of another command. */
export async function inspectLabels(file: string, overrides: readonly string[]): Promise<LabelInspection | undefined> {
  const { recipe: parts } = await loadRecipe(file, overrides, z.looseObject({}));
  if (!('label' in parts) || ['method', 'loop', 'evaluate'].some((key) => key in parts)) return undefined;
  const { recipe: { data: given, judge, label, answers }, labeler: { material } } = await loadLabelRecipe(file, overrides);
  const data = { ...given, junk: 'skip' as const };
  const what = answers === undefined ? material : 'prompts';
  const kind = labelKind(await readRows(data.path), data, what);
  const loaded = await loadData({ ...data, onLong: 'error', duplicates: 'keep' }, kind);
  const { rows, skipped: leftOut } = await { prompts: readPrompts, pairs: readPairs, singles: readSingles }[what](data);
  return {
    recipe: file, labeler: label.name, judge: describeJudge(judge), doctor: examine(kind, loaded), skipped: loaded.skipped,
    toLabel: { what, rows: rows.length, withHuman: rows.filter((row) => 'human' in row && row.human !== undefined).length, leftOut },
  };
}

const WORDS = { pairs: 'pairs of responses', singles: 'responses', prompts: 'prompts to answer first' } as const;

/** The inspection as text. */
export const renderLabelInspection = (found: LabelInspection): string => [
  `${found.labeler} by ${found.judge}`, '', renderDoctor(found.doctor),
  ...(found.skipped.length === 0 ? [] : ['', 'left out as junk:', listProblems(found.skipped)]),
  '', renderToLabel(found),
].join('\n');

/** What there is to label, and which judge would be asked. */
function renderToLabel({ recipe, judge, toLabel: { what, rows, withHuman, leftOut } }: LabelInspection): string {
  const more = leftOut === 0 ? '' : `; ${leftOut} more have nothing to label`;
  const people = withHuman === 0 ? '' : ` People have labelled ${withHuman} of them: the report compares the judge with these.`;
  return `To label: ${rows} ${WORDS[what]}${more}.${people}\nNothing was asked so far: heed label ${recipe} asks ${judge}.`;
}
