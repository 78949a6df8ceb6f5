import type { AskHooks } from '../judge/respondent.js';
import type { Progress } from '../run/progress.js';
import type { StoredRespondent } from './asking.js';

/** Shows progress, and stops asking as soon as the user wants to: a server that hangs is not waited for. */
export function watched(inner: StoredRespondent, progress: Progress, interrupt: { readonly requested: boolean; readonly signal?: AbortSignal }, what: string): StoredRespondent {
  const asking = async <R>(count: number, ask: (hooks: AskHooks) => Promise<R>, { onReply, signal: outer }: AskHooks): Promise<R> => {
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
    name: inner.name,
    asking: inner.asking,
    choose: async (questions, hooks = {}) => asking(questions.length, async (more) => inner.choose(questions, more), hooks),
    write: async (questions, hooks = {}) => asking(questions.length, async (more) => inner.write(questions, more), hooks),
    close: async () => inner.close(),
  };
}
