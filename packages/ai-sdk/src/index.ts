/**
 * `@heed/ai-sdk`: Heed in the Vercel AI SDK. A provider for models that `heed serve` serves, a middleware that keeps any model's answers in
 * a feedback store, and what is said of those answers.
 *
 * @packageDocumentation
 */
export { type CapturedCall, type FeedbackMiddleware, captureFeedback } from './capture.js';
export { inferenceId } from './id.js';
export { type HeedOptions, createHeed } from './provider.js';
export { type FeedbackServer, sendFeedback } from './send.js';
export {
  FeedbackFault, type FeedbackInput, type FeedbackStore, type GivenAnswer, type Message, UserError, openFeedback,
} from '@heed/heed/feedback';
