/**
 * `@heed/heed/label`: labelers and judges. A labeler asks a judge about responses and writes rows; the store keeps every reply.
 *
 * @packageDocumentation
 */
export { type LabelStore, openStore } from './label/store.js';
export type { CachedRespondent } from './label/usage.js';
export { cached } from './label/cached.js';
export type { LabelOptions } from './label/index.js';
export { LabelRecipe, loadLabelRecipe } from './label/recipe.js';
export { type Labeler, defineLabeler } from './label/labeler.js';
export { LabelData, type Material, type Pair, type Single, readPairs, readSingles } from './label/material.js';
export { type LabelSummary, type LabelTools, labelRows } from './label/label-rows.js';
export { runLabelling } from './label/run.js';
export type { LabelFailure, Labelled } from './label/labelled.js';
export type { LabelReport } from './label/report.js';
export { PreferencesOptions, labelPreferences } from './label/preferences.js';
export { ScoresOptions, labelScores } from './label/scores.js';
export { PrinciplesOptions, labelPrinciples } from './label/principles.js';
export { JudgmentsOptions, judgmentPrompt, labelJudgments } from './label/judgments.js';
export { RevisionsOptions, labelRevisions } from './label/revisions.js';

export {
  type AskHooks,
  type Question,
  type ChoiceQuestion,
  type ChoiceReply,
  type Failure,
  type Respondent,
  type ServerCount,
  type TextQuestion,
  type TextReply,
  type Usage,
  failed,
} from './judge/respondent.js';
export { type JudgeDefinition, type JudgeTools, defineJudge } from './judge/define.js';
export { type JudgeInput, describeJudge, openRespondent } from './judge/open.js';
export { JudgeOptions, RespondentOptions, RewardModelOptions } from './judge/options.js';
export { EndpointOptions } from './judge/endpoint/options.js';
export { LocalOptions } from './judge/local.js';
export { HumanOptions, createHumanRespondent } from './judge/human.js';
export { type Principle, readPrinciples } from './judge/principle-file.js';
