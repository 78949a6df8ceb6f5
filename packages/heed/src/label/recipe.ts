/** `heed label recipes/label-<name>.yaml`. */
import { z } from 'zod';

import { JudgeOptions } from '../judge/options.js';
import { RunOptions } from '../run/recipe-schemas.js';
import { JudgmentsOptions } from './judgments.js';
import { LabelData } from './material.js';
import { PreferencesOptions } from './preferences.js';
import { PrinciplesOptions } from './principles.js';
import { RevisionsOptions } from './revisions.js';
import { ScoresOptions } from './scores.js';

/** What is asked. */
export const LabelOptions = z.discriminatedUnion('name', [PreferencesOptions, ScoresOptions, PrinciplesOptions, JudgmentsOptions, RevisionsOptions]);
export type LabelOptions = z.infer<typeof LabelOptions>;

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

/** A recipe of `heed label`. */
export const LabelRecipe = z
  .strictObject({
    data: LabelData,
    /** Who judges; for `revisions`, who criticises and rewrites. */
    judge: JudgeOptions,
    label: LabelOptions,
    answers: AnswersOptions.optional(),
    /** Where every question's reply is kept: a libSQL file, shared by runs and processes, or the address of a server. */
    store: z.string().min(1).default(DEFAULT_STORE),
    /** The share of rows that may fail before the run counts as failed. */
    allowedFailures: z.number().min(0).max(1).default(0.05),
    /**
     * The least probability that the judge must have given to the answers together, from 0 to 1; a choice with less fails as `no-such-answer`. Left out: none, as in the
     * papers, which take the answers' probabilities relative to each other; a judge that was not taught to answer so gives them little.
     */
    leastMass: z.number().min(0).max(1).optional(),
    run: RunOptions,
  })
  .superRefine(({ answers, label }, context) => {
    if (answers !== undefined && answers.temperature === 0 && comparesPairs(label)) {
      context.addIssue({ code: 'custom', path: ['answers', 'temperature'], input: 0, message: 'at temperature 0 both responses are the same and nothing can be compared; the papers: 0.7 to 1' });
    }
    if (answers !== undefined && label.name === 'revisions' && label.critique === 'given') {
      context.addIssue({ code: 'custom', path: ['answers'], input: undefined, message: 'critique: given revises the responses that were judged; leave answers out' });
    }
  });
export type LabelRecipe = z.infer<typeof LabelRecipe>;

export const comparesPairs = ({ name }: LabelOptions): boolean => name === 'preferences' || name === 'principles';
