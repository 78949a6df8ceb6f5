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

type Plain = string | number | boolean;
const otlp = (attributes: Readonly<Record<string, Plain>>) => Object.entries(attributes).map(([key, value]) => {
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  return { key, value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value } };
});
const part = (content: string) => [{ type: 'text', content }];

/** A line of spans, with one chat call, as OTLP writes it. */
export const otelSpan = (attributes: Readonly<Record<string, Plain>>, ids: object = {}) => ({
  resourceSpans: [{ resource: {}, scopeSpans: [{ scope: { name: 'app' }, spans: [{
    traceId: '5B8E0000000000000000000000000001', spanId: 'EEE1000000000001', name: 'chat m', kind: 3,
    attributes: otlp({
      'gen_ai.operation.name': 'chat', 'gen_ai.response.id': 'r1',
      'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: part('Name a fruit.') }]),
      'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: part('A carrot, I think.'), finish_reason: 'stop' }]),
      ...attributes,
    }),
    ...ids,
  }] }] }],
});

/** A line of logs, with one evaluation of the call of `otelSpan`. */
export const otelEvaluation = (attributes: Readonly<Record<string, Plain>>, ids: object = {}) => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: [{
    eventName: 'gen_ai.evaluation.result', traceId: '5b8e0000000000000000000000000001', spanId: 'eee1000000000001',
    attributes: otlp(attributes), ...ids,
  }] }] }],
});

export const inspectSample = (id: number, completion: string, scores: object, more: object = {}) => ({
  id, epoch: 1, input: 'Name a fruit.', target: 'Pear',
  messages: [{ role: 'user', content: 'Name a fruit.', source: 'input' }, assistant(completion)],
  output: { model: 'm', choices: [{ message: assistant(completion), stop_reason: 'stop' }], completion }, scores, ...more,
});

/** What `--fields` says of the samples, where a format needs it. */
export const FIELDS: Readonly<Partial<Record<ImportName, Readonly<Record<string, string>>>>> = {
  argilla: { prompt: 'prompt', completion: 'response', vote: 'ok' },
  'label-studio': { prompt: 'prompt', completion: 'response', vote: 'ok' },
};

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
  langfuse: [
    {
      id: 'o1', traceId: 't1', type: 'GENERATION', name: 'answer', startTime: '2026-01-01T00:00:00Z',
      input: JSON.stringify([user('Name a fruit.')]), output: JSON.stringify(assistant('Carrot.')),
    },
    {
      id: 's1', traceId: 't1', observationId: 'o1', name: 'helpful', dataType: 'BOOLEAN', value: 0, stringValue: 'False',
      comment: 'A vegetable.', source: 'ANNOTATION',
    },
    { id: 's2', traceId: 't1', observationId: null, name: 'stars', dataType: 'NUMERIC', value: 2, source: 'API' },
  ],
  opentelemetry: [
    otelSpan({}),
    otelEvaluation({
      'gen_ai.evaluation.name': 'brief', 'gen_ai.evaluation.score.value': 0.2, 'gen_ai.evaluation.explanation': 'Too long.',
    }),
  ],
  'open-webui': [webuiRating({ rating: -1, comment: 'A carrot is no fruit.', details: { rating: 3 } })],
  librechat: [{
    conversationId: 'c', endpoint: 'x', title: 't', messages: [
      { messageId: 'a', parentMessageId: '0000', isCreatedByUser: true, sender: 'User', text: 'Name a fruit.' },
      {
        messageId: 'b', parentMessageId: 'a', isCreatedByUser: false, sender: 'm', text: 'Carrot.',
        feedback: { rating: 'thumbsDown', tag: 'inaccurate' },
      },
    ],
  }],
  argilla: [{
    id: 'r1', prompt: 'Name a fruit.', response: 'Carrot.', 'ok.responses': ['no', 'yes'], 'ok.responses.users': ['u1', 'u2'],
    'ok.responses.status': ['submitted', 'submitted'],
  }],
  'label-studio': [{
    id: 1, data: { prompt: 'Name a fruit.', response: 'Carrot.' },
    annotations: [{ id: 9, completed_by: 3, was_cancelled: false, result: [
      { from_name: 'ok', to_name: 'response', type: 'choices', value: { choices: ['no'] } },
    ] }],
  }],
  inspect: [{
    version: 2, status: 'success', eval: { task: 'fruit' }, plan: { name: 'plan' }, samples: [
      inspectSample(1, 'Carrot.', { judge: { value: 'I', explanation: 'A vegetable.' } }),
      inspectSample(2, 'Pear.', { judge: { value: 'C' } }),
    ],
  }],
  sharegpt: [
    { conversations: [{ from: 'human', value: 'Name a fruit.' }, { from: 'gpt', value: 'Pear.' }] },
    {
      conversations: [{ from: 'human', value: 'Name a fruit.' }], chosen: { from: 'gpt', value: 'Pear.' },
      rejected: { from: 'gpt', value: 'Leek.' },
    },
    { conversations: [{ from: 'human', value: 'Name a fruit.' }, { from: 'gpt', value: 'Leek.' }], kto_tag: false },
  ],
  ultrafeedback: [{
    prompt: 'Name a fruit.', prompt_id: 'p', chosen: [user('Name a fruit.'), assistant('Pear.')],
    rejected: [user('Name a fruit.'), assistant('Leek.')], score_chosen: 9, score_rejected: 4.5,
  }],
  helpsteer: [
    { prompt: 'Name a fruit.', response: 'Pear.', helpfulness: 4, correctness: 4, coherence: 4, complexity: 0, verbosity: 1 },
    { prompt: 'Name a fruit.', response: 'Leek.', helpfulness: 1, correctness: 0, coherence: 4, complexity: 0, verbosity: 1 },
    { prompt: 'Name a tree.', response_1: 'Oak.', response_2: 'Rose.', preference_strength: -2 },
    {
      context: [user('Fruit?')], response1: 'Pear', response2: 'Carrot', overall_preference: -2,
      individual_preference: [{ score: -2 }, { score: 1 }, { score: 0 }],
    },
    { context: [user('Fruit?')], response: 'Carrot', feedback: ['The response is slightly helpful. It names a root.'] },
    { context: [user('Fruit?')], original_response: 'Carrot', edited_response: 'Pear', change_summary: 'x', feedback: ['Not a fruit.'] },
    { context: [user('Fruit?')], good_edited_response: 'Pear', bad_edited_response: 'Carrot' },
  ],
};
