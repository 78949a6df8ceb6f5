import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PromptRow } from '../../src/data/rows.js';
import type { Answer } from '../../src/loop/answer-log.js';
import { openConstraints } from '../../src/loop/constraints.js';
import { selfPlay } from '../../src/loop/demonstrations.js';
import { makerOf } from '../../src/loop/rows-of.js';
import type { Source } from '../../src/loop/source.js';
import { answeredSource } from '../../src/loop/sources/answered.js';
import { judgedSource } from '../../src/loop/sources/judged.js';
import { openWatch } from '../../src/loop/watch.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/load.js';
import { createFunctionReward } from '../../src/reward/function.js';
import { createRespond } from '../../src/text/respond.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// What a loop learns are the tokens that the policy drew, although the rows hold text: other tokens may have the same text.
const { folder } = scratchFolder();
let model: Model;
/** An answer's tokens that its text does not give back, with the end of turn. */
let odd: readonly number[];
let plain: readonly number[];
beforeAll(async () => {
  model = await loadModel(await tinyTalker(folder));
  const { tokenizer, template } = model;
  const [end] = template.stopIds;
  const tokens = (text: string): number[] => tokenizer.encode(text, { after: 'text' });
  // A byte that is no character by itself: its text is U+FFFD, which has other bytes.
  const lone = Array.from({ length: 256 }, (_, id) => id).find((id) => tokenizer.decode([id]) === '\uFFFD')!;
  odd = [...tokens('no'), lone, end!];
  plain = [...tokens('yes'), end!];
});

const textOf = (ids: readonly number[]): string => model.tokenizer.decode(ids.slice(0, -1), { skipSpecial: true });
const user = (content: string) => ({ role: 'user' as const, content });
const PROMPTS: readonly PromptRow[] = [
  { source: { file: 'p.jsonl', line: 1 }, prompt: [user('One?')], extra: {} },
  { source: { file: 'p.jsonl', line: 2 }, prompt: [user('Two?'), { role: 'assistant', content: 'So.' }, user('And?')], extra: {} },
];

/** The answers to each prompt: an odd one, then a plain one. */
const answers = (): Answer[] => PROMPTS.flatMap((_, row) => [odd, plain].map((ids, sample): Answer => (
  { round: 1, row, sample, ids, logprobs: ids.map(() => -1), text: textOf(ids), finish: 'stop' }
)));
let runs = 0;
const shared = (method: MethodOptions) => {
  const dir = join(folder, `run-${runs++}`);
  const run = { path: (...parts: string[]) => join(dir, ...parts) };
  return {
    rounds: 1, length: { batch: 8, dropLast: true }, prompts: PROMPTS, samples: 2, sampling: { maxNewTokens: 8, temperature: 1 },
    method: methodOf(method), text: (known?: Parameters<typeof createRespond>[1]) => createRespond(model.template, known),
    limits: { maxTokens: 512, onLong: 'error' as const }, seed: 0, run, hooks: {},
    answerer: {
      answer: async () => answers(),
      answering: () => { throw new Error('Nothing is to be generated here.'); },
      rest: async () => undefined, release: async () => undefined,
    },
  };
};
const lessonOf = async (source: Source) =>
  source.lesson({ k: 1, policy: undefined, read: () => { throw new Error('Nothing is to be read here.'); } });

async function judged(method: MethodOptions) {
  const parts = shared(method);
  // The odd answers are good ones.
  const reward = createFunctionReward('odd', ({ completions }) => completions.map((text) => Number(text === textOf(odd))), 1);
  return lessonOf(judgedSource({
    ...parts, reward, allowedFailures: 0, rowsOf: makerOf(parts.method.row)!, maker: undefined,
    watch: openWatch({ stop: false }, reward, parts.run, {}), constraints: openConstraints([], 0, parts.run, {}),
  }));
}
/** The tokens of every sequence of a name, in the order of the items. */
const responses = ({ items }: Awaited<ReturnType<typeof judged>>, name: string): (readonly number[])[] =>
  items.flatMap(({ sequences }) => sequences[name]?.map(({ response }) => response) ?? []);

describe('a loop learns the tokens that were drawn', () => {
  it('which the text alone does not give', () => {
    const { template } = model;
    expect(template.response(textOf(odd))).not.toEqual(odd);
    expect(template.response(textOf(plain))).toEqual(plain);
  });

  it('by votes, pairs and judgments', async () => {
    expect(responses(await judged({ name: 'kto' }), 'completion')).toEqual([odd, plain, odd, plain]);
    const pairs = await judged({ name: 'dpo' });
    expect([responses(pairs, 'chosen'), responses(pairs, 'rejected')]).toEqual([[odd, odd], [plain, plain]]);
    const cut = await judged({ name: 'cut', ratio: null });
    for (const name of cut.items.flatMap(({ sequences }) => Object.keys(sequences)))
      for (const response of responses(cut, name)) expect([odd, plain]).toContainEqual(response);
    expect(cut.items).toHaveLength(4);
  });

  it('also under a prompt that the policy did not answer', async () => {
    // KTO sets each answer under another prompt; hindsight rewrites the prompt.
    expect(responses(await judged({ name: 'kto' }), 'mismatched')).toEqual([odd, odd, odd, odd]);
    expect(responses(await judged({ name: 'hindsight-reward', threshold: 0.5 }), 'response')).toEqual([odd, plain, odd, plain]);
  });

  it('by imitation, earlier turns of the policy as before', async () => {
    const sft = await judged({ name: 'sft' });
    const [first, second] = sft.items.map(({ sequences }) => sequences['turns']![0]!);
    const { template } = model;
    expect(first).toMatchObject({ prompt: template.prompt(PROMPTS[0]!.prompt), response: odd });
    // The second conversation has an answer in its prompt, which is imitated too.
    const whole = template.conversation([...PROMPTS[1]!.prompt, { role: 'assistant', content: textOf(plain) }]);
    const expected = [...whole.ids.slice(0, -plain.length), ...odd];
    expect([...second!.prompt, ...second!.response]).toEqual(expected);
    const supervised = [...whole.supervised.slice(0, -plain.length), ...odd.map(() => true)];
    expect([...second!.prompt.map(() => false), ...second!.supervised!]).toEqual(supervised);
  });

  it('against a demonstration', async () => {
    const demos = PROMPTS.map(({ source, prompt }) => ({ prompt: { source, prompt: [...prompt], extra: {} }, response: 'Indeed.' }));
    const parts = shared({ name: 'dpo' });
    const prompts = demos.map(({ prompt }) => prompt);
    const spin = await lessonOf(answeredSource({ ...parts, prompts, teacher: selfPlay(demos) }));
    expect(responses(spin, 'rejected')).toEqual([odd, plain, odd, plain]);
    expect(responses(spin, 'chosen').every((ids) => ids.join() === model.template.response('Indeed.').join())).toBe(true);
  });
});
