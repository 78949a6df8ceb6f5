/**
 * `@heed/heed/method`: the ways to learn from rows, the kinds of rows, and what a method and a kind of row of your own are made with.
 *
 * @packageDocumentation
 */
export {
  type Among,
  type BoundMethod,
  type Extreme,
  type Loss,
  type Method,
  type Reference,
  type ReferenceUse,
  type Respond,
  type Scored,
  type Term,
  defineMethod,
} from './method/method.js';
export { bind } from './method/bind.js';
export type { TokenSequence } from './text/token-sequence.js';
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
export { grpo } from './method/grpo.js';
export { hindsight } from './method/hindsight.js';
export { hindsightReward } from './method/hindsight-reward.js';
export { ilf } from './method/ilf.js';
export { ilfDpo } from './method/ilf-dpo.js';
export { kto } from './method/kto.js';
export { npo } from './method/npo.js';
export { orpo } from './method/orpo.js';
export { ppo } from './method/ppo.js';
export { asChoice, principleChoice } from './method/principle-choice.js';
export { principleRewardModel } from './method/principle-reward-model.js';
export { reinforce } from './method/reinforce.js';
export { rewardModel } from './method/reward-model.js';
export { rloo } from './method/rloo.js';
export type { Credit, Rollout, RolloutReads } from './method/credit.js';
export { sft } from './method/sft.js';
export { simNpo } from './method/sim-npo.js';
export { simpo } from './method/simpo.js';
export { slic } from './method/slic.js';
export { unlikelihood } from './method/unlikelihood.js';
export { type Aggregation, aggregate } from './method/aggregate.js';

export {
  type AnyRow,
  type ChoiceRow,
  type ClassifiedRow,
  type CompletionRow,
  type ConversationRow,
  type JudgedRow,
  type LabelledRow,
  type NegativeRow,
  type PreferenceRow,
  type PrincipledRow,
  type PromptRow,
  type RefinedRow,
  type RowKind,
  type RowOf,
  type ScoredPrinciple,
  type ScoredRow,
  rowDefinition,
  rowSchemas,
} from './data/rows.js';
export { type BaseRow, type RowDefinition, defineRow, shape as rowShape } from './data/row.js';
export { needs as columnNeeds } from './data/columns.js';
export * as cells from './data/row-cells.js';
export { RowFault } from './data/turns.js';

export { type HeldPrinciple, comparisonPrompt, principledPrompt } from './text/principled.js';
export { refinementPrompt } from './text/refine.js';
export { selfCorrectionPrompt } from './text/self-correct.js';
