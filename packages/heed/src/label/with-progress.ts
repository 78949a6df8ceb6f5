import type { AskHooks } from '../judge/respondent.js';
import type { Hooks } from '../run/job.js';
import type { Progress } from '../run/progress.js';
import type { CachedRespondent } from './usage.js';

/** The same respondent with a progress bar. Asking ends as soon as the user wants to stop, even where a server hangs. */
export function withProgress(
  respondent: CachedRespondent, progress: Progress, interrupt: NonNullable<Hooks['interrupt']>, what: string,
): CachedRespondent {
  const follow = async <R>(count: number, ask: (hooks: AskHooks) => Promise<R>, { onReply, signal: outer }: AskHooks): Promise<R> => {
    const controller = new AbortController();
    if (interrupt.requested) controller.abort();
    const signals = [controller.signal, interrupt.signal, outer].filter((signal) => signal !== undefined);
    let done = 0;
    progress.start(what, count, { unit: 'replies' });
    try {
      return await ask({
        signal: AbortSignal.any(signals),
        onReply(index, reply) {
          progress.update(++done);
          if (interrupt.requested) controller.abort();
          onReply?.(index, reply);
        },
      });
    } finally {
      progress.stop();
    }
  };
  return {
    name: respondent.name,
    usage: respondent.usage,
    choose: async (questions, hooks = {}) => follow(questions.length, async (more) => respondent.choose(questions, more), hooks),
    write: async (questions, hooks = {}) => follow(questions.length, async (more) => respondent.write(questions, more), hooks),
    close: async () => respondent.close(),
  };
}
