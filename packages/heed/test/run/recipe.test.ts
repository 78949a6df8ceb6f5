import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';

import { UserError } from '../../src/errors.js';
import { checkRecipe, loadRecipe } from '../../src/run/recipe.js';
import { adapterLayers, adapterTargets, sharedSections } from '../../src/run/recipe-schemas.js';

const Schema = z.strictObject({
  ...sharedSections,
  data: z.strictObject({
    path: z.union([z.string(), z.array(z.string())]), junk: z.enum(['error', 'skip']).default('error'), eval: z.number().optional(),
  }),
  method: z.discriminatedUnion('name', [
    z.strictObject({ name: z.literal('cut'), lambda: z.number().min(1).default(1.1), gamma: z.number().default(1) }),
    z.strictObject({ name: z.literal('sft'), packing: z.boolean().default(false) }),
  ]),
});

const BASE = `# a comment
data: rows.jsonl
method:
  name: cut
train:
  steps: 10
  learningRate: 4e-4
run:
  dir: runs/x
`;

const check = (text: string, ...overrides: string[]) => checkRecipe(text, 'r.yaml', overrides, Schema);
const problem = (text: string, ...overrides: string[]): string => {
  try {
    check(text, ...overrides);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('no error');
};

describe('a recipe', () => {
  it('is read, completed and written so that it reads back the same', () => {
    const { recipe, text } = check(BASE);
    expect(recipe.train).toMatchObject({ steps: 10, learningRate: 4e-4, batch: 8, schedule: 'cosine', betas: [0.9, 0.999] });
    expect(recipe.adapter).toEqual({ rank: 16, alpha: 16, targets: 'all', dropout: 0, rslora: false });
    expect(recipe.data).toEqual({ path: 'rows.jsonl', junk: 'error' });
    expect(text).toContain('learningRate: 0.0004');
    expect(check(text)).toEqual({ recipe, text });
  });

  it('loses a key that an override says is null, unless null is a value of it', () => {
    const text = `${BASE}adapter:\n  rank: 4\n`;
    expect(check(text, 'adapter.rank=null').recipe.adapter.rank).toBe(16);
    expect(check(text, 'adapter=null').recipe.adapter).toEqual(check(BASE).recipe.adapter);
    expect(problem(text, 'run=null')).toContain('"run" is missing');
    // What the recipe does not have cannot be taken out: it may be a slip of the pen.
    expect(problem(text, 'train.epochs=null')).toContain('"train.epochs" is null');
    expect(problem(text, 'adapter.rnak=null')).toContain('did you mean "adapter.rank"');
    const nullable = z.strictObject({ ratio: z.number().nullable().default(0.5) });
    expect(checkRecipe('ratio: 1', 'r.yaml', ['ratio=null'], nullable).recipe).toEqual({ ratio: null });
  });

  it('takes overrides, the later one winning', () => {
    const { recipe } = check(
      BASE, 'train.steps=3', 'train.steps=5', 'method.lambda=1.5', 'adapter.targets=[up_proj, down_proj]', 'data.junk=skip',
      'data=../other file.jsonl', 'model=./m.gguf',
    );
    expect(recipe.train.steps).toBe(5);
    expect(recipe.method).toMatchObject({ name: 'cut', lambda: 1.5 });
    expect(recipe.adapter.targets).toEqual(['up_proj', 'down_proj']);
    expect(recipe.data).toEqual({ path: '../other file.jsonl', junk: 'skip' });
    expect(recipe.model).toBe('./m.gguf');
    expect(check(BASE, 'data=[a.jsonl, b.jsonl]').recipe.data.path).toEqual(['a.jsonl', 'b.jsonl']);
    expect(check(BASE, 'data.path=[a, b]', 'data.path.1=c').recipe.data.path).toEqual(['a', 'c']);
    expect(check('data: x\nrun: {dir: d}\n', 'method=cut', 'method.gamma=2').recipe.method).toEqual({ name: 'cut', lambda: 1.1, gamma: 2 });
  });

  it('names the nearest key, with file and line', () => {
    expect(problem(BASE.replace('learningRate', 'learningrate')))
      .toBe('r.yaml:7: unknown key "train.learningrate"; did you mean "train.learningRate"?');
    expect(problem(BASE.replace('learningRate', 'lerningRate'))).toContain('did you mean "train.learningRate"?');
    expect(problem(`${BASE}lambda: 1.2\n`)).toBe('r.yaml:10: unknown key "lambda"; did you mean "method.lambda"?');
    expect(problem(`${BASE}adapter:\n  r: 8\n`)).toContain('r.yaml:11: unknown key "adapter.r"; did you mean "adapter.rank"?');
    expect(problem(BASE.replace('name: cut', 'name: cut\n  packing: true')))
      .toContain('r.yaml:5: unknown key "method.packing"; known in "method": name, lambda, gamma');
    expect(problem(BASE, 'trian.steps=3')).toBe('override "trian.steps=3": unknown key "trian"; did you mean "train"?');
    expect(problem(BASE, 'train.stpes=3')).toBe('override "train.stpes=3": unknown key "train.stpes"; did you mean "train.steps"?');
  });

  it('shows the value and what was expected, all problems at once', () => {
    const wrong = BASE.replace('steps: 10', 'steps: ten').replace('4e-4', '-1');
    const message = problem(wrong, 'train.batch=0', 'data.junk=drop', 'train.warmup=2.5');
    expect(message.split('\n')).toEqual([
      'r.yaml has 5 problems:',
      '  r.yaml:6: "train.steps" is "ten"; expected a number',
      '  override "train.batch=0": "train.batch" is 0; expected at least 1',
      '  r.yaml:7: "train.learningRate" is -1; expected more than 0',
      '  override "train.warmup=2.5": "train.warmup": expected a fraction below 1, or a whole number of steps',
      '  override "data.junk=drop": "data.junk" is "drop"; expected one of "error", "skip"',
    ].sort((a, b) => message.indexOf(a) - message.indexOf(b)));
    expect(problem(BASE, 'train.steps=2.5')).toContain('"train.steps" is 2.5; expected a whole number');
    expect(problem(BASE.replace('data: rows.jsonl\n', ''))).toBe('r.yaml:1: "data" is missing; expected a section');
    expect(problem(BASE.replace('name: cut', 'name: cutt')))
      .toBe('r.yaml:4: "method.name" is "cutt"; expected one of "cut", "sft"; did you mean "cut"?');
    expect(problem(BASE, 'train.microBatch=9')).toContain('"train.microBatch": expected at most train.batch rows');
    expect(problem(BASE, 'adapter.targets=qkv')).toContain('expected one of "all", "mlp", "attention", or a list');
    expect(problem(BASE, 'adapter.targets=[qkv]')).toMatch(/"adapter.targets.0" is "qkv"; expected one of "q_proj"/);
  });

  it('refuses what is not an override', () => {
    expect(problem(BASE, 'train.steps')).toContain('"train.steps" is not an override');
    expect(problem(BASE, '--steps=3')).toContain('is not an override');
    expect(problem(BASE, 'train.steps.x=3')).toContain('train.steps is 10, which has no parts to set');
    expect(problem(BASE, '__proto__.x=3')).toContain('not a recipe key');
    expect(problem(BASE, 'train={')).toContain('override "train={"');
  });

  it('refuses broken, doubled and boundless YAML', () => {
    expect(problem('train: {steps: 1')).toContain('r.yaml:1');
    expect(problem(`${BASE}train:\n  steps: 3\n`)).toContain('r.yaml:10: the key "train" is given twice');
    expect(problem('- a\n- b\n')).toContain('this file holds a list');
    expect(problem('just words')).toContain('"just words"');
    expect(problem('a: 1\n---\nb: 2\n')).toContain('r.yaml:');
    const nineOf = (i: number): string => Array(9).fill(`*a${i}`).join(',');
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${nineOf(i)}]`);
    const laughs = ['a0: &a0 [x,x,x,x,x,x,x,x,x]', ...levels].join('\n');
    expect(problem(laughs)).toMatch(/alias/i);
    expect(problem(`a: ${'['.repeat(100_000)}`)).toContain('nested');
    expect(problem(`${'- '.repeat(50_000)}x`)).toContain('nested');
    expect(problem('__proto__: {polluted: true}')).toContain('__proto__');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('means what it says about adapter targets', () => {
    const of = (...names: string[]) => names.map((name) => ({ name: `model.layers.0.x.${name}.weight` }));
    const plain = of('q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj');
    expect(adapterTargets('all', plain)).toHaveLength(7);
    expect(adapterTargets('mlp', plain)).toEqual(['gate_proj', 'up_proj', 'down_proj']);
    expect(adapterTargets(['o_proj', 'q_proj', 'q_proj'], plain)).toEqual(['q_proj', 'o_proj']);
    // Phi-3 has several in one.
    const fused = of('qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj');
    expect(adapterTargets('all', fused)).toEqual(['o_proj', 'down_proj', 'qkv_proj', 'gate_up_proj']);
    expect(adapterTargets('attention', fused)).toEqual(['o_proj', 'qkv_proj']);
    expect(adapterLayers(['2-4', 7, 3, '0 - 0'])).toEqual([0, 2, 3, 4, 7]);
    const { adapter } = sharedSections;
    expect(adapter.safeParse({ layers: [0, '20-29'] }).success).toBe(true);
    for (const layers of [[], ['9-2'], ['all'], [-1], 3]) expect(adapter.safeParse({ layers }).success).toBe(false);
  });
});

describe('recipe files', () => {
  let dir = '';
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'heed-recipe-'))));
  afterAll(() => rm(dir, { recursive: true }));

  it('are read from disk; absent and huge ones are refused', async () => {
    await writeFile(join(dir, 'r.yaml'), `\uFEFF${BASE}`);
    expect((await loadRecipe(join(dir, 'r.yaml'), ['train.steps=2'], Schema)).recipe.train.steps).toBe(2);
    await expect(loadRecipe(join(dir, 'no.yaml'), [], Schema)).rejects.toThrow('There is no recipe');
    await writeFile(join(dir, 'rows.jsonl'), '{"prompt": "p"}\n{"prompt": "q"}\n');
    await expect(loadRecipe(join(dir, 'rows.jsonl'), [], Schema)).rejects.toThrow(/rows\.jsonl is data, not a recipe/);
    await expect(loadRecipe(dir, [], Schema)).rejects.toThrow('is a folder');
    await writeFile(join(dir, 'big.yaml'), `a: ${'x'.repeat(300_000)}`);
    await expect(loadRecipe(join(dir, 'big.yaml'), [], Schema)).rejects.toThrow('at most 262144');
  });
});

describe('any input', () => {
  const onlyUserErrors = (run: () => unknown): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  };

  it('text gives a recipe or a UserError', () => {
    const signs = fc.constantFrom(
      'a', 'train', 'steps', ': ', '\n', '  ', '- ', '[', ']', '{', '}', '&a ', '*a', '!!',
      '|', '>', '"', "'", '#', '? ', '<<', '%', '\t', '---',
    );
    const yamlish = fc.array(fc.oneof(signs, fc.string()), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(fc.property(yamlish, (text) => onlyUserErrors(() => check(text))), { numRuns: 150 });
  });

  it('values anywhere give a recipe or a UserError', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const keys = fc.constantFrom('train', 'data', 'method', 'adapter', 'run', 'model', 'steps', 'name', 'x', '__proto__', 'toString');
    const recipes = fc.dictionary(keys, value, { maxKeys: 8 });
    fc.assert(fc.property(recipes, (object) => onlyUserErrors(() => check(stringify(object)))), { numRuns: 150 });
  });

  it('overrides give a recipe or a UserError', () => {
    const key = fc.constantFrom('train', 'train.steps', 'data', 'data.path.0', 'a.b.c', 'toString.x', 'constructor.prototype.y');
    const setting = fc.tuple(key, fc.oneof(fc.string(), fc.json())).map(([name, value]) => `${name}=${value}`);
    const overrides = fc.array(fc.oneof(fc.string(), setting), { maxLength: 5 });
    fc.assert(fc.property(overrides, (given) => onlyUserErrors(() => check(BASE, ...given))), { numRuns: 150 });
    expect(({} as Record<string, unknown>)['y']).toBeUndefined();
  });

  it('a valid recipe survives being written and read', () => {
    const overrides = fc.record({
      steps: fc.integer({ min: 1 }), lr: fc.double({ min: 1e-300, max: 1e300, noNaN: true }), path: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(overrides, ({ steps, lr, path }) => {
        const first = check(stringify({ data: { path }, method: 'cut', run: { dir: path }, train: { steps, learningRate: lr } }));
        expect(check(first.text)).toEqual(first);
        expect(first.recipe.data.path).toBe(path);
      }),
    );
  });
});
