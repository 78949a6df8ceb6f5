import { type Failure, failed } from '../judge/respondent.js';
import type { Answer } from './record.js';

/**
 * Failures that asking again would not mend: the question itself does not go. The others (a server that was down or slow, a limit) are kept as the
 * reason why there is no reply, and the question is asked again in the next run.
 */
export const LASTING: readonly Failure['failure'][] = ['refused', 'no-logprobs', 'no-such-answer', 'too-long'];

/** Failures in which nobody was asked: not kept, but for what was paid before it came to that. */
const UNASKED: readonly Failure['failure'][] = ['cancelled', 'budget'];

/** Whether a stored reply stands in for asking. */
export const lasts = (reply: Answer): boolean => !failed(reply) || LASTING.includes(reply.failure);

/** Whether a reply belongs in the store. */
export const keeps = (reply: Answer): boolean => !failed(reply) || !UNASKED.includes(reply.failure) || (reply.usage !== undefined && reply.usage.promptTokens + reply.usage.completionTokens > 0);
