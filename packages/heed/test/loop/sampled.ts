import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Answer } from '../../src/loop/answer-log.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { type Ran, heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';
import { type VllmDouble, vllmDouble } from './vllm-double.js';

/** A small model in a loop whose policy two doubles of vLLM sample, which have the model and load the adapter of each round. */
export interface Sampled {
  readonly engine: Engine;
  readonly model: Model;
  readonly servers: readonly VllmDouble[];
  readonly recipe: string;
  /** Rules that no text with a printable character follows. */
  readonly rules: string;
}

/** The setup of a test file: doubles without faults before each test, and what runs leave in their folders. */
export function sampled() {
  const { folder, write } = scratchFolder();
  let all: Sampled | undefined;
  beforeAll(async () => {
    const path = await tinyTalker(folder, { context: 512, leaning: 2 });
    const [engine, model] = [await startEngine({ threads: 1 }), await loadModel(path)];
    const servers = await Promise.all([1, 2].map(() => vllmDouble(engine, model, 'tiny')));
    const rewards = write('rewards.ts', `
const printable = (text: string): number => [...text].filter((c) => c >= ' ' && c <= '~').length;
export const share = ({ completions }: { completions: readonly string[] }): number[] =>
  completions.map((text) => printable(text) / Math.max(1, [...text].length));
`);
    const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[ -~]', message: 'It has {quotes}.'}
`);
    const recipe = write('recipe.yaml', `
model: ${path}
data: ${write('train.jsonl', promptLines(16, 'Why'))}
reward: '${rewards}#share'
method: {name: rloo, beta: 0}
generate:
  maxNewTokens: 12
  prompts: 4
  samples: 4
  endpoint: {url: '${servers[0]!.url}', replicas: ['${servers[1]!.url}'], model: tiny, concurrency: 2, retries: 0, backoff: 0.01}
loop: {iterations: 3}
evaluate: {prompts: ${write('held.jsonl', promptLines(4, 'How'))}, maxNewTokens: 12}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 4, learningRate: 2e-2}
run: {dir: unused}
`);
    all = { engine, model, servers, recipe, rules };
  });
  afterAll(() => all?.engine.close());
  beforeEach(() => {
    for (const server of all!.servers) {
      server.faults = {};
      server.asked.length = 0;
    }
  });

  const dirOf = (name: string): string => join(folder, name);
  const lines = <T>(name: string, ...file: string[]): T[] =>
    readFileSync(join(dirOf(name), ...file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);
  const answersOf = (name: string, round: number): Answer[] =>
    lines<Answer>(name, 'work', `round-${round}`, 'answers.jsonl').sort((a, b) => a.row - b.row || a.sample - b.sample);
  return {
    all: () => all!,
    folder,
    dirOf,
    /** Runs `heed align` in the folder of that name. */
    align: (name: string, ...more: string[]): Promise<Ran> => heed(['align', all!.recipe, `run.dir=${dirOf(name)}`, '--json', ...more]),
    /** By place. */
    answersOf,
    tokensOf: (name: string, round: number): object[] => answersOf(name, round).map(({ row, sample, ids }) => ({ row, sample, ids })),
    mismatches: (name: string): number[] =>
      lines<Record<string, number>>(name, 'metrics.jsonl').map(({ mismatch_kl: mismatch }) => mismatch!),
    /** Bodies of the requests for answers, to all doubles. */
    asked: (): Record<string, unknown>[] => all!.servers.flatMap((server) => server.completions()),
  };
}
