/** `heed label recipes/label-<name>.yaml`. */
import { z } from 'zod';

import { JudgeOptions, keysThatMayDiffer } from '../judge/options.js';
import { type LoadedRecipe, loadRecipe } from '../run/recipe.js';
import { ClusterOptions } from '../run/cluster.js';
import { DeviceOption, RunOptions } from '../run/recipe-schemas.js';
import { namesExport } from '../run/user-module.js';
import { LABELERS, type Labelers, type LabelOptions, labelOptions, openLabeler } from './index.js';
import type { AnyLabeler } from './labeler.js';
import { LabelData } from './material.js';

/** Responses to be sampled first, where the data hold prompts only: one for each prompt, or two where pairs are compared. */
export const AnswersOptions = z.strictObject({
  /** Who answers, written as `judge` is. */
  by: JudgeOptions,
  maxNewTokens: z.int().min(1).default(128),
  temperature: z.number().min(0).default(0.7),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0).default(0),
});
export type AnswersOptions = z.infer<typeof AnswersOptions>;

/** Where replies are kept unless a recipe says otherwise. */
export const DEFAULT_STORE = 'runs/labels.db';

/** The schema of a recipe of `heed label` that may name one of these labelers. */
function labelRecipe(labelers: Labelers) {
  return z
    .strictObject({
      data: LabelData,
      /** Who judges; for `revisions`, who criticises and rewrites. */
      judge: JudgeOptions,
      /** What is asked: a labeler and its options. */
      label: labelOptions(labelers),
      answers: AnswersOptions.optional(),
      /** What a local judge computes on. */
      device: DeviceOption,
      /** Where every question's reply is kept: a libSQL file, shared by runs and processes, or the address of a server. */
      store: z.string().min(1).default(DEFAULT_STORE),
      /** The share of rows that may fail before the run counts as failed. */
      allowedFailures: z.number().min(0).max(1).default(0.05),
      /**
       * The least probability that the judge must have given to the answers together, from 0 to 1; a choice with less fails as
       * `no-such-answer`. Left out: no limit, as in the papers, which take the answers' probabilities relative to each other. A judge
       * that was not taught to answer so gives them little.
       */
      leastMass: z.number().min(0).max(1).optional(),
      /** Where local models judge and answer: `local:N`, `ray://HOST` (docs/scale.md). Default: in this process. */
      cluster: ClusterOptions.nullish(),
      run: RunOptions,
    })
    .superRefine(({ answers, label }, context) => {
      if (answers === undefined) return;
      const labeler = labelers[label.name]!;
      if (answers.temperature === 0 && labeler.material === 'pairs') {
        const message = 'at temperature 0 both responses are the same and nothing can be compared; the papers: 0.7 to 1';
        context.addIssue({ code: 'custom', path: ['answers', 'temperature'], input: 0, message });
      }
      const message = labeler.refusesAnswers?.(label);
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['answers'], input: undefined, message });
    });
}

/** A recipe of `heed label` with one of Heed's labelers. */
export const LabelRecipe = labelRecipe(LABELERS);
export type LabelRecipe = z.infer<typeof LabelRecipe>;

/**
 * Reads a recipe of `heed label` as `loadRecipe` does. Its labeler may be a user's, `label: ./my-labeler.ts#name`.
 *
 * @throws UserError where the recipe has problems (all are listed) or the labeler cannot be opened
 */
export async function loadLabelRecipe(
  file: string, overrides: readonly string[],
): Promise<LoadedRecipe<LabelRecipe> & { readonly labeler: AnyLabeler }> {
  const { recipe: { label } } = await loadRecipe(file, overrides, z.looseObject({ label: z.unknown() }));
  const name = nameOf(label);
  const schema = name !== undefined && namesExport(name) ? labelRecipe({ ...LABELERS, [name]: await openLabeler(name) }) : LabelRecipe;
  const loaded = await loadRecipe(file, overrides, schema);
  return { ...loaded, labeler: await openLabeler(loaded.recipe.label.name) };
}

function nameOf(label: unknown): string | undefined {
  const { name } = (typeof label === 'object' && label !== null ? label : {}) as Partial<LabelOptions>;
  return typeof name === 'string' ? name : undefined;
}

/** The files of a labelling run: those that every labeler makes, and those that Heed's labelers and this one make besides. */
export const labelFiles = (labeler: AnyLabeler): string[] => {
  const more = [...Object.values(LABELERS), labeler].flatMap(({ files = [] }) => files.map((name) => `${name}.jsonl`));
  return ['rows.jsonl', 'failures.jsonl', 'label-report.json', ...new Set(more)];
};

/** Keys of a label recipe that may differ when a run goes on: no label depends on them. */
export const LABEL_FREE: readonly string[] = [
  'allowedFailures', 'cluster', ...keysThatMayDiffer('judge'), ...keysThatMayDiffer('answers.by'),
];
