import { type Engine, view } from '@heed/tensor';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openLink } from '../../src/cluster/link.js';
import { openTeam } from '../../src/cluster/team.js';
import { createGenerator } from '../../src/generate/generator.js';
import type { Completion } from '../../src/generate/request.js';
import { loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { FEW } from '../train/invariance.js';
import { passes } from '../train/support.js';
import { type GatewayDouble, gatewayDouble } from './gateway-double.js';
import { expectSame, manyPasses, stepOn } from './support.js';

// The engine of a team against a gateway in TypeScript, whose workers are engines of this process.

const { folder } = scratchFolder();
const engine = useEngine();
let model: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
});

let gateway: GatewayDouble;
let team: Engine;
let lost = 0;
const openTwo = async (): Promise<Engine> => openTeam({
  link: await openLink('127.0.0.1', gateway.port, 'secret'), errors: () => Promise.resolve('worker 1: out of memory'),
  close: () => Promise.resolve(), attempt: () => ({ repeat: () => { lost++; } }),
});
beforeAll(async () => {
  gateway = await gatewayDouble(2);
  team = await openTwo();
});
afterEach(() => {
  gateway.intercept = undefined;
  gateway.asked.length = 0;
  lost = 0;
});
afterAll(async () => {
  await team.close();
  await gateway.close();
});

/** A loss of each row, one that couples rows, and references that follow the policy. */
const METHODS = FEW.filter(([title]) => ['cut', 'kto', 'd2o, moving averages'].includes(title));

describe('a team of two', () => {
  it.each(METHODS)('takes a step of %s as one machine does', async (_, options) => {
    const work = await manyPasses(model, options);
    expectSame(await stepOn(team, work), await stepOn(engine(), work));
    const shared = gateway.asked.filter(({ on }) => on !== undefined).map(({ to }) => to);
    expect(new Set(shared)).toEqual(new Set([0, 1]));
    expect(gateway.asked.filter(({ kind }) => kind === 'sum')).toHaveLength(1);
  });

  it('takes a step again, to the last bit, where a worker was lost on the way, or came back without a word', async () => {
    const { b, parts } = await manyPasses(model, { name: 'dpo' });
    let [runs, sums] = [0, 0];
    gateway.intercept = ({ request, to }) => {
      if (request.kind === 'sum' && ++sums === 3) gateway.standing.losses[0]!++;
      // Worker 1 has two of the five passes: this is the first of the second step.
      if (request.kind !== 'run' || !request.writes || to !== 1 || ++runs !== 3) return undefined;
      gateway.standing.losses[1]!++;
      return { lost: 'worker' };
    };
    const [whole, ...others] = await passes(team, b, [parts, parts, parts]);
    for (const other of others) expect([other.loss, other.gradients]).toEqual([whole!.loss, whole!.gradients]);
    expect(lost).toBe(2);
    expect(sums).toBe(4);
  });

  it('gives a step up that ends workers again and again', async () => {
    const work = await manyPasses(model, { name: 'dpo' });
    gateway.intercept = ({ request }) => (request.kind === 'sum' ? { lost: 'worker' } : undefined);
    await expect(stepOn(team, work)).rejects.toThrow('A worker of the cluster was lost.');
    expect(lost).toBe(4);
  });

  it('has engines of single workers, which read the memory that all share', async () => {
    const common = await team.upload(Float32Array.of(1, 2, 3));
    const member = team.team!.member(1);
    expect(await member.read(view(common))).toEqual(Float32Array.of(1, 2, 3));
    const own = await member.upload(Float32Array.of(7));
    await member.copy([{ from: view(own), to: view(common, [1], 2) }]);
    expect(await member.read(view(common))).toEqual(Float32Array.of(1, 2, 7));
    expect(await team.read(view(common))).toEqual(Float32Array.of(1, 2, 3));
    await expect(team.read(view(own))).rejects.toThrow('belongs to another engine');
    await expect(member.free(common)).rejects.toThrow('belongs to another engine');
    await team.team!.sum(view(common), 2);
    expect(await team.read(view(common))).toEqual(Float32Array.of(2, 4, 10));
    expect(team.team!.member(1)).toBe(member);
    gateway.standing.losses[1]!++;
    await team.read(view(common));
    expect(team.team!.member(1)).not.toBe(member);
  });

  it('answers prompts as one machine does, also where a worker was lost on the way', async () => {
    const { checkpoint, tokenizer, template } = await loadModel(model);
    const options = { decode: (ids: readonly number[]) => tokenizer.decode(ids), stopIds: template.stopIds, batch: 2 };
    const requests = [5, 9, 3, 7, 1].map((n, row) => ({ prompt: Array.from({ length: n }, (_, i) => 40 + i + row), row, samples: 2 }));
    const sampling = { maxNewTokens: 6, temperature: 1, seed: 4 };
    const alone = await createGenerator(engine(), checkpoint, options);
    const expected = await alone.generate(requests, sampling);
    await alone.release();
    const shared = await createGenerator(team, checkpoint, options);
    let runs = 0;
    gateway.intercept = ({ request, to }) => {
      if (request.kind !== 'run' || to !== 1 || ++runs !== 7) return undefined;
      gateway.standing.losses[1]!++;
      return { lost: 'worker' };
    };
    const heard: string[] = [];
    const completions = await shared.generate(requests, sampling, { onCompletion: ({ row, sample }) => heard.push(`${row} ${sample}`) });
    const words = ({ row, sample, ids, finish }: Completion): unknown[] => [row, sample, ids, finish];
    expect(completions.map(words)).toEqual(expected.map(words));
    expect(heard.sort()).toEqual(expected.map(({ row, sample }) => `${row} ${sample}`).sort());
    expect(runs).toBeGreaterThan(7);
    expect(lost).toBe(1);
    await shared.release();
  });

  it('is refused with another token', async () => {
    await expect(openLink('127.0.0.1', gateway.port, 'guess')).rejects.toThrow('refused the token');
  });

  // Last: it ends every connection.
  it('says with the workers\' last words how to go on where all is lost', async () => {
    const own = await openTwo();
    gateway.intercept = () => ({ lost: 'state', error: 'Worker 1 was lost, and Ray did not start it again.' });
    await expect(own.allocate('float32', 4)).rejects.toMatchObject({
      message: 'Worker 1 was lost, and Ray did not start it again.\nworker 1: out of memory',
      hints: [expect.stringContaining('--resume'), expect.stringContaining('cluster=null')],
    });
    gateway.intercept = () => {
      gateway.drop();
      return {};
    };
    for (let call = 0; call < 2; call++) await expect(own.allocate('float32', 4)).rejects.toThrow(/^The cluster ended .*\n.*out of memory$/);
    await own.close();
  });
});
