/** Conversations with models side by side, and what is said of their answers. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';

import { readFeedback } from '../feedback/feedback.js';
import { type FeedbackStore, openFeedback } from '../feedback/store.js';
import type { Message } from '../text/template.js';
import type { ChatDone, ChatFeedback, ChatKept, ChatRequest } from './api.js';
import type { Models } from './models.js';
import type { Project } from './project.js';

/** Where answers and feedback are kept: the form of `heed serve --feedback`, so that `heed rows` reads it. */
export const FEEDBACK = 'feedback.db';
/** The metric of the thumbs. */
const VOTE = 'thumbs_up';

export interface ChatStore {
  keep(done: ChatDone, prompt: readonly Message[], model: string): Promise<void>;
  say(feedback: ChatFeedback): Promise<ChatKept>;
  said(): Promise<ChatKept>;
  close(): void;
}

/** Opens the store when there is something to keep; a project in which nobody chats gets no file. */
export function createChatStore(project: Project): ChatStore {
  let opened: Promise<FeedbackStore> | undefined;
  const open = (): Promise<FeedbackStore> => (opened ??= project.inside(FEEDBACK).then(openFeedback));
  async function said(): Promise<ChatKept> {
    const all = opened !== undefined || existsSync(await project.inside(FEEDBACK)) ? await (await open()).all() : [];
    return { file: FEEDBACK, answers: all.length, feedback: all.reduce((sum, { feedback }) => sum + feedback.length, 0) };
  }
  return {
    async keep({ id, text: completion, finish }, prompt, model) {
      await (await open()).keep([{ id, choice: 0, prompt, completion, model, finish, tags: { from: 'studio' } }]);
    },
    async say({ id, metric, value }) {
      const store = await open();
      const name = metric === 'vote' ? VOTE : metric;
      await store.add(readFeedback({ inference_id: id, metric_name: name, value, tags: { from: 'studio' }, dryrun: false }));
      return said();
    },
    said,
    close() { void opened?.then((store) => store.close(), () => undefined); },
  };
}

/** How an answer is made, and who hears of it. */
export interface Answering extends Pick<ChatRequest, 'maxTokens' | 'temperature' | 'seed'> {
  readonly topP?: number;
  readonly signal: AbortSignal;
  text(piece: string): void;
}

/** One model's answer. It is kept before its end is told: whoever has its id can say something of it. */
export async function answer(
  models: Models, store: ChatStore, speaker: string, conversation: readonly Message[],
  { maxTokens, temperature, topP, seed, signal, text }: Answering,
): Promise<ChatDone> {
  return models.use(speaker, 'writing an answer', async ({ model, generator, speaker: { title } }) => {
    const prompt = model.template.prompt(conversation);
    const room = Math.max(1, model.architecture.context - prompt.length);
    const [completion] = await (await generator()).generate(
      [{ prompt, row: 0 }], { maxNewTokens: Math.min(maxTokens, room), temperature, topP, seed },
      { signal, onToken: (_row, _sample, piece) => text(piece) },
    );
    const { text: words, ids, finish } = completion!;
    const done = { speaker, id: `chat-${randomUUID()}`, text: words, tokens: ids.length, finish };
    await store.keep(done, conversation, title);
    return done;
  });
}
