import { view } from '@heed/tensor';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openLink } from '../../src/cluster/link.js';
import { openTeam } from '../../src/cluster/team.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { FEW } from '../train/invariance.js';
import { type GatewayDouble, gatewayDouble } from './gateway-double.js';
import { expectSame, manyPasses, stepOn } from './support.js';

// The engine of a team against a gateway in TypeScript, whose workers are engines of this process.

const { folder } = scratchFolder();
const engine = useEngine();
let model: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
});

let open: GatewayDouble[] = [];
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

async function teamOf(workers: number) {
  const gateway = await gatewayDouble(workers);
  open.push(gateway);
  let lost = 0;
  const link = await openLink('127.0.0.1', gateway.port, 'secret');
  const team = openTeam({
    link, threads: 1, errors: () => Promise.resolve('worker 1: out of memory'), close: () => Promise.resolve(),
    onLost: () => { lost++; },
  });
  return { gateway, team, lost: () => lost };
}

describe('a team of two', () => {
  it.each(FEW)('takes a step of %s as one machine does', async (_, options) => {
    const work = await manyPasses(model, options);
    const { gateway, team } = await teamOf(2);
    expectSame(await stepOn(team, work), await stepOn(engine(), work));
    const shared = gateway.asked.filter(({ on }) => on !== undefined).map(({ to }) => to);
    expect(new Set(shared)).toEqual(new Set([0, 1]));
    expect(gateway.asked.filter(({ kind }) => kind === 'sum')).toHaveLength(1);
    await team.close();
  });

  it('takes a step again, to the last bit, where a worker was lost on the way', async () => {
    const work = await manyPasses(model, { name: 'dpo' });
    const whole = await teamOf(2);
    const expected = await stepOn(whole.team, work);
    const { gateway, team, lost } = await teamOf(2);
    let runs = 0;
    gateway.intercept = ({ request, to }) => {
      if (request.kind !== 'run' || !request.writes || to !== 1 || ++runs !== 2) return undefined;
      gateway.losses[1]!++;
      return { lost: 'worker' };
    };
    const actual = await stepOn(team, work);
    expect(actual.gradients).toEqual(expected.gradients);
    expect(actual.loss).toBe(expected.loss);
    expect(lost()).toBe(1);
    await team.close();
    await whole.team.close();
  });

  it('takes a step again where a worker came back without a word', async () => {
    const work = await manyPasses(model, { name: 'dpo' });
    const { gateway, team, lost } = await teamOf(2);
    gateway.intercept = ({ request }) => {
      if (request.kind === 'sum' && gateway.losses[0] === 0) gateway.losses[0]++;
      return undefined;
    };
    await stepOn(team, work);
    expect(lost()).toBe(1);
    expect(gateway.asked.filter(({ kind }) => kind === 'sum')).toHaveLength(2);
    await team.close();
  });

  it('gives a step up that ends workers again and again', async () => {
    const work = await manyPasses(model, { name: 'dpo' });
    const { gateway, team, lost } = await teamOf(2);
    gateway.intercept = ({ request }) => (request.kind === 'sum' ? { lost: 'worker' } : undefined);
    await expect(stepOn(team, work)).rejects.toThrow('A worker of the cluster was lost.');
    expect(lost()).toBe(4);
    await team.close();
  });

  it('has engines of single workers, which read the memory that all share', async () => {
    const { gateway, team } = await teamOf(2);
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
    gateway.losses[1]!++;
    await team.read(view(common));
    expect(team.team!.member(1)).not.toBe(member);
    await team.close();
  });

  it('says with the workers\' last words how to go on where all is lost', async () => {
    const { gateway, team } = await teamOf(2);
    gateway.intercept = () => ({ lost: 'state' });
    await expect(team.allocate('float32', 4)).rejects.toMatchObject({
      message: 'No worker of the cluster is left that holds the state of the training.\nworker 1: out of memory',
      hints: [expect.stringContaining('--resume'), expect.stringContaining('cluster=null')],
    });
    gateway.intercept = () => {
      gateway.drop();
      return {};
    };
    for (let call = 0; call < 2; call++) await expect(team.allocate('float32', 4)).rejects.toThrow(/^The cluster ended .*\n.*out of memory$/);
    await team.close();
  });

  it('is refused with another token', async () => {
    const gateway = await gatewayDouble(1);
    open.push(gateway);
    await expect(openLink('127.0.0.1', gateway.port, 'guess')).rejects.toThrow('refused the token');
  });
});
