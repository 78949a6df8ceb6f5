/** Chat: `api/chat` and what is said of the answers. */
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';

import { MessageSchema } from '../../data/rows.js';
import { UserError } from '../../errors.js';
import { FeedbackFault } from '../../feedback/feedback.js';
import { ApiError, badRequest } from '../../serve/api-error.js';
import type { ChatRefused, ChatText } from '../api.js';
import { answer, createChatStore } from '../chat.js';
import type { StudioContext } from '../context.js';
import { bodyOf } from '../request.js';

const conversation = z.array(MessageSchema).min(1).refine((turns) => turns.at(-1)?.role === 'user', 'must end with a turn of the user');
const Chat = z.strictObject({
  speakers: z.array(z.string().min(1)).min(1).max(3),
  conversations: z.array(conversation).min(1).max(3),
  maxTokens: z.int().min(1).max(4096), temperature: z.number().min(0).max(5), topP: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0),
}).refine(({ speakers, conversations }) => speakers.length === conversations.length, 'each model needs its conversation');
const Said = z.strictObject({
  id: z.string().min(1), metric: z.enum(['vote', 'comment', 'demonstration']), value: z.union([z.boolean(), z.string().min(1)]),
});

export function chatRoutes({ project, models, log, signal }: StudioContext): Hono {
  const app = new Hono();
  const store = createChatStore(project);
  signal.addEventListener('abort', () => store.close(), { once: true });

  app.post('/chat', async (c) => {
    const { speakers, conversations, ...options } = await bodyOf(c, Chat);
    return streamSSE(c, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort(new Error('The page has gone.')));
      // Events leave in the order in which they were made.
      let sent: Promise<unknown> = Promise.resolve();
      const send = (event: string, data: object): void => {
        sent = sent.then(() => stream.writeSSE({ event, data: JSON.stringify(data) }));
      };
      await Promise.all(speakers.map(async (speaker, i) => {
        try {
          send('done', await answer(models, store, speaker, conversations[i]!, {
            ...options, signal: AbortSignal.any([gone.signal, signal]),
            text: (text) => send('text', { speaker, text } satisfies ChatText),
          }));
        } catch (error) {
          if (gone.signal.aborted || signal.aborted) return;
          const known = error instanceof UserError || error instanceof ApiError;
          if (!known) log(error instanceof Error ? (error.stack ?? error.message) : String(error));
          const message = known ? error.message : 'The model failed; the terminal of the studio says how.';
          send('refused', { speaker, message } satisfies ChatRefused);
        }
      }));
      await sent;
    });
  });

  app.get('/chat/said', async (c) => c.json(await store.said()));
  app.post('/chat/feedback', async (c) => {
    try {
      return c.json(await store.say(await bodyOf(c, Said)));
    } catch (error) {
      throw error instanceof FeedbackFault ? badRequest(error.message, error.param) : error;
    }
  });
  return app;
}
