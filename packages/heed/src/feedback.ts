/**
 * `@heed/heed/feedback`: answers that were given, what people said of them, and the rows that both make. It loads no model and no engine.
 *
 * @packageDocumentation
 */
export { type Feedback, FeedbackBody, FeedbackFault, type FeedbackInput, type Said, readFeedback } from './feedback/feedback.js';
export { FEEDBACK_KINDS, type FeedbackKind } from './feedback/kinds.js';
export { type FeedbackRows, type Metrics, type Remark, type RemarkedAnswer, feedbackRows } from './feedback/rows.js';
export {
  type AnswerWithFeedback, type FeedbackStore, type GivenAnswer, type Removed, openFeedback, openKeptFeedback,
} from './feedback/store.js';
export type { Message } from './text/template.js';
export { UserError } from './errors.js';
