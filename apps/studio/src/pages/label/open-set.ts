/** Opening a set. */
import type { LabelSetLine } from '../../api.js';
import { complain } from '../../parts/notices.js';
import { addressOf, go } from '../../router.js';
import { post } from '../../server.js';

/** What is asked of people, in words. */
export const TASK_WORDS = {
  pairs: 'which of two answers is better', judgment: 'judgments and corrections', scores: 'scores by principle',
  questions: 'questions of a run',
} as const;

/** Opens what files hold, and goes there. */
export async function openSet(given: object): Promise<void> {
  try {
    const { id } = await post<LabelSetLine>('label/sets', given);
    go(addressOf('label', { set: id }));
  } catch (error) {
    complain(error);
  }
}
