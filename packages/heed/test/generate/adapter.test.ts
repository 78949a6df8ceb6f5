import { type Engine, type Session, startEngine, view } from '@heed/tensor';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openGenerator } from '../../src/generate/open.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { type Adapter, loadAdapter } from '../../src/model/peft.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
let adapter: Adapter;
beforeAll(async () => {
  const tiny = await tinyChat(folder);
  model = await loadModel(tiny.model);
  adapter = await loadAdapter(tiny.adapter, model.checkpoint);
  engine = await startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const sampling = { maxNewTokens: 8, temperature: 1, seed: 3 };
const prompt = (content: string): number[] => model.template.prompt([{ role: 'user', content }]);
const ask = () => ['xxx', 'x', 'xx'].map((content, row) => ({ prompt: prompt(content), row, samples: 2 }));
const scaled = (by: number): Float32Array => adapter.parameters.map((x) => by * x);

it('one generator follows an adapter that is trained, and compiles nothing again', async () => {
  const sessions: Session[] = [];
  const { compile } = engine;
  vi.spyOn(engine, 'compile').mockImplementation(async (...args) => {
    const session = await compile.apply(engine, args);
    vi.spyOn(session, 'release');
    sessions.push(session);
    return session;
  });
  const [allocated, freed] = [vi.spyOn(engine, 'allocate'), vi.spyOn(engine, 'free')];
  const trained = await engine.upload(scaled(0));
  const generator = await openGenerator(engine, model, { batch: 4, adapter: { ...adapter, parameters: scaled(0) } });
  await generator.setAdapter(undefined);
  await generator.generate(ask(), sampling);
  const plain = sessions.filter(({ program }) => program.inputs.some(({ name }) => name === 'pastKey0'));

  const held: number[] = [];
  const compiled: number[] = [];
  const written: unknown[] = [];
  for (let round = 1; round <= 5; round++) {
    // Training changes parameters where they lie; here a copy over them does.
    await engine.write(view(trained), scaled(round / 2));
    await generator.setAdapter(view(trained));
    written.push(await generator.generate(ask(), sampling));
    const before = freed.mock.calls.length;
    await generator.rest();
    expect(freed.mock.calls.length).toBe(before + 1);
    held.push(allocated.mock.calls.length - freed.mock.calls.length);
    compiled.push(sessions.length);
  }
  expect(plain.length).toBeGreaterThan(0);
  for (const { release } of plain) expect(release).toHaveBeenCalledOnce();
  expect(new Set(compiled).size).toBe(1);
  expect(new Set(held).size).toBe(1);
  expect(new Set(written.map((completions) => JSON.stringify(completions))).size).toBe(5);

  const fresh = await openGenerator(engine, model, { batch: 4, adapter: { ...adapter, parameters: scaled(2.5) } });
  expect(await fresh.generate(ask(), sampling)).toEqual(written[4]);
  await fresh.release();
  await generator.release();
  for (const { release } of sessions) expect(release).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
});

it('lets go of the programs without an adapter before it takes memory for one', async () => {
  const events: string[] = [];
  const { compile } = engine;
  vi.spyOn(engine, 'compile').mockImplementation(async (...args) => {
    const session = await compile.apply(engine, args);
    const [{ inputs }] = args;
    const what = inputs.some(({ name }) => name === 'pastKey0') ? 'decoder' : 'other';
    events.push(`compiled ${what}`);
    const release = session.release.bind(session);
    vi.spyOn(session, 'release').mockImplementation(() => {
      events.push(`released ${what}`);
      return release();
    });
    return session;
  });
  const generator = await openGenerator(engine, model, { batch: 4, plan: adapter.plan });
  await generator.generate(ask(), sampling);
  events.length = 0;
  const buffer = await engine.upload(adapter.parameters);
  await generator.setAdapter(view(buffer));
  // The merger is the other program.
  expect(events).toEqual(['released decoder', 'compiled other']);
  await generator.release();
  await engine.free(buffer);
  vi.restoreAllMocks();
});
