/** Records of each format, by its schema; texts written for these tests. */
import type { ImportName } from '../../src/exchange/import/names.js';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

/** An Open WebUI rating of the message `b` in a chat with another answer, `c`, to the same question. */
export const webuiRating = (data: object, more: object = {}) => ({
  id: 'f1', user_id: 'u1', version: 0, type: 'rating', data: { model_id: 'm', ...data },
  meta: { arena: false, message_id: 'b', chat_id: 'c' },
  snapshot: { chat: { id: 'c', chat: { history: { currentId: 'b', messages: {
    q: { id: 'q', parentId: null, childrenIds: ['b', 'c'], role: 'user', content: 'Name a fruit.' },
    b: { id: 'b', parentId: 'q', childrenIds: [], role: 'assistant', content: 'Carrot.', model: 'm' },
    c: { id: 'c', parentId: 'q', childrenIds: [], role: 'assistant', content: 'Pear.', model: 'n' },
  } } } } },
  ...more,
});

export const promptfooResult = (output: unknown, success: boolean, more: object = {}) => ({
  promptIdx: 0, testIdx: 4, provider: { id: 'p' }, prompt: { raw: 'Name a fruit.', label: 'x' }, vars: {}, response: { output },
  failureReason: success ? 0 : 1, success, score: success ? 1 : 0.25,
  gradingResult: { pass: success, score: 1, reason: 'All assertions passed' }, latencyMs: 3, ...more,
});

export const SAMPLES: Readonly<Record<ImportName, readonly object[]>> = {
  openai: [
    { messages: [user('Name a fruit.'), assistant('Pear.')] },
    { input: { messages: [user('Name a fruit.')] }, preferred_output: [assistant('Pear.')], non_preferred_output: [assistant('Carrot.')] },
    { messages: [user('Name a fruit.')], wanted: 'pear' },
  ],
  promptfoo: [
    promptfooResult('Carrot.', false), promptfooResult('Pear.', true, { provider: { id: 'q' } }),
    { evalId: 'e', results: { version: 3, results: [promptfooResult('Carrot.', false), promptfooResult('Plum.', true)] } },
  ],
  'open-webui': [webuiRating({ rating: -1, comment: 'A carrot is no fruit.', details: { rating: 3 } })],
};
