import { describe, expect, it } from 'vitest';
import { pointsOf, readGrid } from '../../src/sweep/grid.js';

const names = (...settings: string[]): string[] => pointsOf(readGrid(settings)).map(({ name }) => name);

describe('the settings of a sweep', () => {
  it('are every combination of the values, the last key changing fastest', () => {
    expect(names('method.lambda=1.1,1.2', 'train.seed=0,1')).toEqual([
      'lambda=1.1,seed=0', 'lambda=1.1,seed=1', 'lambda=1.2,seed=0', 'lambda=1.2,seed=1',
    ]);
  });

  it('vary keys with several values, and the seed; the others hold in every run', () => {
    const grid = readGrid(['data=mine.jsonl', 'method.beta=0.1, 0.2', 'train.seed=3', 'run.dir=runs/here']);
    expect(grid.axes.map(({ key }) => key)).toEqual(['method.beta', 'train.seed']);
    expect(grid.dir).toBe('runs/here');
    expect(pointsOf(grid).map(({ overrides }) => overrides)).toEqual([
      ['data=mine.jsonl', 'method.beta=0.1', 'train.seed=3'], ['data=mine.jsonl', 'method.beta=0.2', 'train.seed=3'],
    ]);
  });

  it('read each value as YAML: commas in brackets and quotes part nothing', () => {
    const { axes: [targets, wording] } = readGrid(['adapter.targets=[q_proj,v_proj],all', `rows.wording="Better, please: {x}",It's so`]);
    expect(targets!.values.map(({ text }) => text)).toEqual(['[q_proj,v_proj]', 'all']);
    expect(wording!.values.map(({ text }) => text)).toEqual(['"Better, please: {x}"', "It's so"]);
  });

  it('give folders names that are told apart and can be read', () => {
    expect(names('train.learningRate=1e-4,0.00030')).toEqual(['learningRate=0.0001', 'learningRate=0.0003']);
    // Two keys of one last part are written out.
    expect(names('data.seed=1,2', 'train.seed=0')).toEqual(['data.seed=1,train.seed=0', 'data.seed=2,train.seed=0']);
    const paths = names('data=a/b.jsonl,a-b.jsonl');
    expect(paths[0]).toMatch(/^data=a-b\.jsonl~[0-9a-f]{6}$/);
    expect(paths[1]).toBe('data=a-b.jsonl');
    // A number, and a text of the same letters.
    const numbers = names('data.columns.prompt=1,"1"');
    expect(numbers[0]).toBe('prompt=1');
    expect(numbers[1]).toMatch(/^prompt=1~[0-9a-f]{6}$/);
    const long = names(`rows.wording=${'a'.repeat(300)},${'a'.repeat(300)}b`);
    expect(new Set(long).size).toBe(2);
    for (const name of long) expect(name.length).toBeLessThan(60);
  });

  it.each([
    [['train.seed'], /"train.seed" is not an override/],
    [['=1,2'], /"=1,2" is not an override/],
    [['train.steps=1', 'data=x'], /Nothing varies/],
    [['train.seed=0,1', 'train.seed=2'], /train.seed is given twice/],
    [['method.beta=0.1,0.2,0.10'], /method.beta has the value 0.10 twice \(0.1\)/],
    [['method.beta=0.1,,0.2'], /a value is empty/],
    [['method.beta=0.1,0.2,'], /a value is empty/],
    [['run.dir=a,b', 'train.seed=0'], /a sweep is in one folder/],
    [['method.beta=[1,2'], /method.beta/],
  ])('refuse %j', (settings, message) => {
    expect(() => readGrid(settings)).toThrow(message);
  });
});
