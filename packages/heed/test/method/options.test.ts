import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { METHOD_NAMES, MethodOptions } from '../../src/method/index.js';
import { optionsWith } from '../../src/method/options.js';
import { checkRecipe } from '../../src/run/recipe.js';
import { heed, tinyChat } from '../cli/support.js';
import { sampleOptions } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const schema = z.strictObject({ method: MethodOptions });
/** `method:` of a recipe as its run would keep it. */
const resolved = (method: object) => checkRecipe(JSON.stringify({ method }), 'a.yaml', [], schema);
const kept = (method: object): unknown => resolved(method).recipe.method;

describe('optionsWith', () => {
  const options = optionsWith({
    weight: z.number().default(1),
    power: z.number().default(2),
    base: z.string().default('e'),
    note: z.string().optional(),
  }, {
    ignored: {
      power: ({ weight }) => (weight === 0 ? 'has no weight' : undefined),
      // `power` is absent here where it is ignored already.
      base: ({ power }) => (power === undefined ? 'has no power' : undefined),
      note: () => undefined,
    },
    wrong: { power: ({ power = 0 }) => (power > 9 ? 'is too much' : undefined) },
  });
  const problems = (given: object) => options.safeParse(given).error?.issues.map(({ path, message }) => [path[0], message]);

  it('fills in the default of what is used, and leaves out what is ignored', () => {
    expect(Object.entries(options.parse({}))).toEqual([['weight', 1], ['power', 2], ['base', 'e']]);
    expect(Object.entries(options.parse({ note: 'x', power: 3 }))).toEqual([['weight', 1], ['power', 3], ['base', 'e'], ['note', 'x']]);
    expect(Object.entries(options.parse({ weight: 0 }))).toEqual([['weight', 0]]);
    expect(options.parse({ power: undefined })).toEqual(options.parse({}));
  });

  it('refuses an ignored option that is given, at its place, even where it equals the default', () => {
    expect(problems({ weight: 0, power: 2 })).toEqual([['power', 'has no weight']]);
    expect(problems({ weight: 0, power: 2, base: 'e' })).toEqual([['power', 'has no weight'], ['base', 'has no power']]);
  });

  it('refuses what contradicts the others, what no option is and what no value is', () => {
    expect(problems({ power: 10 })).toEqual([['power', 'is too much']]);
    expect(options.safeParse({ pwer: 1 }).error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['pwer'] });
    expect(options.safeParse({ power: 'x' }).error?.issues[0]).toMatchObject({ code: 'invalid_type', path: ['power'] });
  });
});

describe('the options of a run', () => {
  it.each<[object, object]>([
    [
      { name: 'cut' },
      { name: 'cut', loss: 'acl', lambda: 1.1, alpha: 1, gamma: 1, ratio: 0.25, quoted: 'ratio', endOfTurn: 'judge', without: [] },
    ],
    [
      { name: 'cut', loss: 'v1' },
      { name: 'cut', loss: 'v1', lambda: 1.1, alpha: 1, ratio: 0.25, quoted: 'ratio', endOfTurn: 'judge', without: [] },
    ],
    [
      { name: 'cut', alpha: 0 },
      { name: 'cut', loss: 'acl', lambda: 1.1, alpha: 0, ratio: 0.25, quoted: 'ratio', endOfTurn: 'judge', without: [] },
    ],
    [{ name: 'cut', without: ['l1'], ratio: null }, { name: 'cut', loss: 'acl', ratio: null, without: ['l1'] }],
    [
      { name: 'cut', without: ['detection', 'l2-satisfied'] },
      { name: 'cut', loss: 'acl', alpha: 1, gamma: 1, endOfTurn: 'judge', without: ['detection', 'l2-satisfied'] },
    ],
    [{ name: 'dpo' }, { name: 'dpo', loss: 'sigmoid', beta: 0.1, labelSmoothing: 0, sft: 0, reference: 'base' }],
    [
      { name: 'dpo', loss: 'hinge' },
      { name: 'dpo', loss: 'hinge', beta: 0.1, sft: 0, reference: 'base' },
    ],
    [
      { name: 'ilf-dpo', loss: 'robust', labelSmoothing: 0.1 },
      { name: 'ilf-dpo', loss: 'robust', beta: 0.1, labelSmoothing: 0.1, sft: 0, reference: 'base' },
    ],
    [{ name: 'cpo' }, { name: 'cpo', loss: 'sigmoid', beta: 0.1, alpha: 1, labelSmoothing: 0 }],
    [{ name: 'cpo', loss: 'hinge' }, { name: 'cpo', loss: 'hinge', beta: 0.1, alpha: 1 }],
    [{ name: 'd2o' }, { name: 'd2o', k: 11, alpha: 0.1, beta: 0.1, rPlus: 'base', rMinus: 'base', level: 'distributional' }],
    [{ name: 'd2o', beta: 0, rPlus: { every: 5, rate: 0.5 } }, { name: 'd2o', alpha: 0.1, beta: 0, rPlus: { every: 5, rate: 0.5 } }],
    [{ name: 'd2o', alpha: 0 }, { name: 'd2o', k: 11, alpha: 0, beta: 0.1, rMinus: 'base', level: 'distributional' }],
    [{ name: 'principle-choice', principles: 1 }, { name: 'principle-choice', principles: 1, negation: 0.5, labelNoise: 0, seed: 0 }],
  ])('of %j are all that is used, and no other', (given, all) => {
    expect(kept(given)).toEqual(all);
  });

  const OTHERS: readonly object[] = [
    { name: 'cut', lambda: 1.2, alpha: 0.5, gamma: 2, endOfTurn: 'keep', judgment: '{instruction} {judgment}' },
    { name: 'cut', loss: 'v1', ratio: null },
    { name: 'cut', without: ['l1'] },
    { name: 'cut', without: ['l2-judged'] },
    { name: 'cut', without: ['l2-satisfied'] },
    { name: 'cut', without: ['detection'] },
    { name: 'cut', alpha: 0 },
    { name: 'dpo', loss: 'ipo-sum' },
    { name: 'dpo', loss: 'robust', labelSmoothing: 0.2 },
    { name: 'dpo', reference: 'runs/a/adapter' },
    { name: 'cpo', loss: 'hinge', alpha: 0 },
    { name: 'd2o', beta: 0 },
    { name: 'd2o', alpha: 0 },
    { name: 'd2o', k: 2, rMinus: { every: 1, rate: 0.5 } },
    { name: 'principle-reward-model', principles: 1, draws: 2 },
    { name: 'principle-choice', scale: 'variance' },
    { name: 'kto', loss: 'apo-zero' },
    { name: 'hindsight', ratio: null },
    { name: 'npo', retain: 1 },
  ];
  it.each([...METHOD_NAMES.map(sampleOptions), ...OTHERS])('of %j are the same when the recipe of the run is read again', (given) => {
    const { recipe, text } = resolved(given);
    const again = checkRecipe(text, 'recipe.yaml', [], schema);
    expect(again).toEqual({ recipe, text });
    expect(Object.keys(recipe.method)[0]).toBe('name');
  });

  it.each([
    [
      { name: 'cut', alpha: 0, gamma: 1 },
      'a.yaml:1: "method.gamma": with alpha 0 nothing is pushed down, and gamma is ignored; leave it out',
    ],
    [{ name: 'cut', without: ['l1'], ratio: null, lambda: 1.1 }, 'a.yaml:1: "method.lambda": is ignored without l1; leave it out'],
    [
      { name: 'd2o', beta: 0, rMinus: 'base' },
      'a.yaml:1: "method.rMinus": with beta 0 the positives have no weight, and rMinus is ignored; leave it out',
    ],
    [
      { name: 'cpo', loss: 'hinge', labelSmoothing: 0 },
      'a.yaml:1: "method.labelSmoothing": the loss "hinge" has no labelSmoothing; leave it out or use loss: sigmoid',
    ],
    [{ name: 'cut', lamda: 1.2 }, 'a.yaml:1: unknown key "method.lamda"; did you mean "method.lambda"?'],
    [{ name: 'd2o', level: 'instanse' }, 'did you mean "instance"?'],
    [{ name: 'dpoo' }, 'did you mean "dpo"?'],
  ])('are refused with the place: %j', (given, message) => {
    expect(() => kept(given)).toThrow(message);
  });

  it('stand in the recipe.yaml of its folder', async () => {
    const { model } = await tinyChat(folder);
    const data = join(folder, 'rows.jsonl');
    const rows = [['a', null], ['b', 'It is no answer.'], ['c', 'It is rude.']].map(([completion, judgment]) => ({
      prompt: 'Why?', completion, judgment, satisfied: judgment === null,
    }));
    writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const recipe = join(folder, 'cut.yaml');
    const dir = join(folder, 'run');
    writeFileSync(recipe, `model: ${model}\ndata: ${data}\nmethod: cut\nadapter: { rank: 2 }\nrun: { dir: ${dir} }\n`);
    const { code, err } = await heed(['train', recipe, '--json']);
    expect(code, err).toBe(0);
    const used = parse(readFileSync(join(dir, 'recipe.yaml'), 'utf8')) as Record<string, unknown>;
    expect(used['method']).toEqual({
      name: 'cut',
      loss: 'acl',
      lambda: 1.1,
      alpha: 1,
      gamma: 1,
      ratio: 0.25,
      quoted: 'ratio',
      endOfTurn: 'judge',
      without: [],
    });
    expect(used['train']).toMatchObject({ epochs: 1, batch: 8 });
  });
});
