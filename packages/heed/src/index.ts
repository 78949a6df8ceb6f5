/**
 * Heed: align language models from feedback. What a program needs is here; the command line is `heed`.
 *
 * @packageDocumentation
 */
export { UserError } from './errors.js';

export { type LoadOptions, type Model, loadModel } from './model/load.js';
export { type Checkpoint, listCached, openCheckpoint, readTensor } from './model/checkpoint/index.js';
export { type AdapterPlan, type LoraOptions, initialParameters, planAdapter } from './model/adapter.js';
export { type Adapter, loadAdapter, saveAdapter } from './model/peft.js';
export { type Scorer, createScorer } from './model/scorer.js';
export { type RewardScorer, createRewardScorer } from './model/reward-scorer.js';
export { exportMerged } from './model/export.js';

export { type Message, type Template, alpacaTemplate, chatTemplate } from './text/template.js';
export { type Tokenizer, loadTokenizer } from './text/tokenizer.js';
export { judgedPrompt } from './text/judgment.js';

export { DataOptions, type LoadedData, loadData } from './data/load.js';
export {
  type ChoiceRow, type ClassifiedRow, type CompletionRow, type ConversationRow, type JudgedRow, type LabelledRow, type NegativeRow, type PreferenceRow,
  type PrincipledRow, type PromptRow, type RefinedRow, type ScoredPrinciple, type ScoredRow, rowSchemas,
} from './data/rows.js';
export { type DoctorReport, examine } from './data/doctor.js';

export { type BoundMethod, type Loss, type Method, type Scored, type Term, bind, defineMethod } from './method/method.js';
export { Tokens } from './method/tokens.js';
export { METHOD_NAMES, methodOf } from './method/index.js';
export { bco } from './method/bco.js';
export { choice } from './method/choice.js';
export { classifier } from './method/classifier.js';
export { cpo } from './method/cpo.js';
export { cut } from './method/cut.js';
export { d2o } from './method/d2o.js';
export { dpo } from './method/dpo.js';
export { forwardPrediction } from './method/forward-prediction.js';
export { gradientAscent } from './method/gradient-ascent.js';
export { hindsight } from './method/hindsight.js';
export { hindsightReward } from './method/hindsight-reward.js';
export { ilf } from './method/ilf.js';
export { ilfDpo } from './method/ilf-dpo.js';
export { kto } from './method/kto.js';
export { npo } from './method/npo.js';
export { orpo } from './method/orpo.js';
export { asChoice, principleChoice } from './method/principle-choice.js';
export { principleRewardModel } from './method/principle-reward-model.js';
export { rewardModel } from './method/reward-model.js';
export { sft } from './method/sft.js';
export { simNpo } from './method/sim-npo.js';
export { simpo } from './method/simpo.js';
export { slic } from './method/slic.js';
export { unlikelihood } from './method/unlikelihood.js';

export { type HeldPrinciple, comparisonPrompt, principledPrompt } from './text/principled.js';
export { refinementPrompt } from './text/refine.js';
export { selfCorrectionPrompt } from './text/self-correct.js';

export { TrainRecipe } from './train/recipe.js';
export { type TrainSummary, runTraining } from './train/run.js';
export { type TrainOutcome, type TrainingInput, train } from './train/api.js';
export { RowsOptions } from './train/row-recipe.js';
export { openRowMaker } from './loop/make-rows.js';
export { AlignRecipe } from './loop/recipe.js';
export { type Aligned, alignOnline } from './loop/online.js';

export { type Completion, type GenerationRequest } from './generate/request.js';
export { type Generator } from './generate/generator.js';
export type { SamplingOptions } from './generate/options.js';
export { openGenerator } from './generate/open.js';

export { type RunningServer, type ServerOptions, startServer } from './serve/server.js';
export { type Voice, type Voices, openVoices } from './serve/voices.js';
export { type AskHooks, type Asked, type ChoiceQuestion, type ChoiceReply, type Failure, type Respondent, type TextQuestion, type TextReply, type Usage, failed } from './judge/asked.js';
export { type OpenJudgeOptions, describeJudge, openJudge, openRespondent } from './judge/open.js';
export { EndpointOptions, HumanOptions, JudgeOptions, LocalOptions, RewardModelOptions } from './judge/options.js';
export { createHumanRespondent } from './judge/human.js';
export { type RewardJudge, createRewardJudge } from './judge/reward-model.js';
export type { Finding, Judge, Verdict } from './judge/types.js';
export { type LabelStore, openStore } from './label/store.js';
export { type StoredRespondent, stored } from './label/stored.js';
export { LabelRecipe } from './label/recipe.js';
export { runLabelling } from './label/run.js';
export type { LabelReport } from './label/report.js';
export { labelPreferences } from './label/preferences.js';
export { labelScores } from './label/scores.js';
export { labelPrinciples } from './label/principles.js';
export { judgmentPrompt, labelJudgments } from './label/judgments.js';
export { labelRevisions } from './label/revisions.js';
export { createRulesJudge } from './judge/rules/judge.js';
export { type AnswerReport, evaluateAnswers } from './evaluate/answers.js';
export { bootstrapInterval, pairedDifference, proportionInterval } from './run/statistics.js';

export { openRun, type RunFolder } from './run/folder.js';
export { loadRecipe } from './run/recipe.js';
export { writeReport } from './run/report/write.js';
export { type Engine, startEngine } from '@heed/tensor';
