import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scoreChoices, writeAnswers } from '../../src/evaluate/ask-benchmarks.js';
import { isChoice, prepareTask } from '../../src/evaluate/prepared.js';
import { TaskOptions } from '../../src/evaluate/tasks/index.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { silentProgress } from '../../src/run/progress.js';
import { Interrupted } from '../../src/run/signals.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { example } from './tasks/lm-eval.js';

const { folder, write } = scratchFolder();
const engine = useEngine();
let model: Model;
beforeAll(async () => {
  model = await loadModel((await tinyChat(folder, { context: 1024 })).model);
});

/** Who asks, and is stopped when the first reply is there. */
function asker(name: string, stops: boolean) {
  const stop = new AbortController();
  const progress = { ...silentProgress, update: () => { if (stops) stop.abort(); } };
  const interrupt = { get requested() { return stop.signal.aborted; }, signal: stop.signal };
  const path = (...parts: string[]): string => join(folder, name, ...parts);
  return { engine: engine(), model, adapter: undefined, run: { path }, hooks: { progress, interrupt } };
}
const keptIn = (name: string): string[] =>
  readdirSync(join(folder, name, 'work')).flatMap((file) => readFileSync(join(folder, name, 'work', file), 'utf8').trim().split('\n'));

describe('an evaluation that is stopped', () => {
  it('keeps the choices that were scored, and scores the others when it goes on', async () => {
    // Shots that only some items share: the items are scored in several passes.
    const options = { task: 'mmlu', data: example('subjects.jsonl'), shots: 1, dev: example('subjects-dev.jsonl') };
    const task = await prepareTask('mmlu', TaskOptions.parse(options), model);
    if (!isChoice(task)) throw new Error('mmlu has choices');
    await expect(scoreChoices(asker('choices', true), [task])).rejects.toThrow(Interrupted);
    const before = keptIn('choices').length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(task.items.length);
    const [scored] = await scoreChoices(asker('choices', false), [task]);
    const [anew] = await scoreChoices(asker('choices anew', false), [task]);
    scored!.forEach((own, i) => own.forEach((value, k) => expect(value).toBeCloseTo(anew![i]![k]!, 3)));
    expect(keptIn('choices')).toHaveLength(task.items.length);
  });

  it('does so with answers', async () => {
    // More than are worked on together.
    const rows = Array.from({ length: 40 }, (_, i) => `${JSON.stringify({ prompt: `Is it ${i}?`, label: 'safe' })}\n`);
    const options = TaskOptions.parse({ task: 'xstest', data: write('prompts.jsonl', rows.join('')), maxNewTokens: 4 });
    const task = await prepareTask('xstest', options, model);
    if (isChoice(task)) throw new Error('xstest has no choices');
    await expect(writeAnswers(asker('answers', true), [task])).rejects.toThrow(Interrupted);
    expect(keptIn('answers').length).toBeLessThan(40);
    const [answers] = await writeAnswers(asker('answers', false), [task]);
    const [anew] = await writeAnswers(asker('answers anew', false), [task]);
    expect(answers!.map(({ text }) => text)).toEqual(anew!.map(({ text }) => text));
  });
});
