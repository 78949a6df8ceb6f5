/** What `heed inspect` finds out about a label recipe: the data's doctor, and what there is to label. Nothing is asked and no model is loaded. */
import { z } from 'zod';

import { type DoctorReport, examine } from '../data/doctor.js';
import { loadData } from '../data/load.js';
import type { Problem } from '../data/problem.js';
import { readRows } from '../data/read.js';
import { describeJudge } from '../judge/open.js';
import { labelKind, readPairs, readQuestions, readSingles } from '../label/material.js';
import { comparesPairs, LabelRecipe } from '../label/recipe.js';
import { loadRecipe } from '../run/recipe.js';

export interface LabelInspection {
  readonly recipe: string;
  readonly labeler: string;
  readonly judge: string;
  readonly doctor: DoctorReport;
  readonly skipped: readonly Problem[];
  /** What would be labelled, how much of it people have labelled already, and what has nothing to label in it. */
  readonly toLabel: { readonly what: 'pairs' | 'singles' | 'questions'; readonly rows: number; readonly withHuman: number; readonly leftOut: number };
}

/** Reads a label recipe and its data as `heed label` would, except that junk is always left out; undefined where the recipe is of another command. */
export async function inspectLabels(file: string, overrides: readonly string[]): Promise<LabelInspection | undefined> {
  const { recipe: parts } = await loadRecipe(file, overrides, z.looseObject({}));
  if (!('label' in parts) || ['method', 'loop', 'evaluate'].some((key) => key in parts)) return undefined;
  const { recipe: { data: given, judge, label, answers } } = await loadRecipe(file, overrides, LabelRecipe);
  const data = { ...given, junk: 'skip' as const };
  const what = answers !== undefined ? 'questions' : comparesPairs(label) ? 'pairs' : 'singles';
  const kind = labelKind(await readRows(data.path), data, what);
  const loaded = await loadData({ ...data, onLong: 'error' }, kind);
  const { rows, skipped: leftOut } = await { questions: readQuestions, pairs: readPairs, singles: readSingles }[what](data);
  return {
    recipe: file, labeler: label.name, judge: describeJudge(judge), doctor: examine(kind, loaded), skipped: loaded.skipped,
    toLabel: { what, rows: rows.length, withHuman: rows.filter((row) => 'human' in row && row.human !== undefined).length, leftOut },
  };
}

const WORDS = { pairs: 'pairs of responses', singles: 'responses', questions: 'prompts to answer first' } as const;

/** What there is to label, and who would be asked. */
export const renderToLabel = ({ recipe, judge, toLabel: { what, rows, withHuman, leftOut } }: LabelInspection): string => [
  `to label: ${rows} ${WORDS[what]}${leftOut === 0 ? '' : `, ${leftOut} more left out`}; labelled by people: ${withHuman}${withHuman === 0 ? '' : ', which the report compares with'}`,
  `Nothing was asked. heed label ${recipe} asks ${judge}.`,
].join('\n');
