import { describe, expect, it } from 'vitest';
import { loadTrainRecipe } from '../../src/loop/train-recipe.js';
import { scratchFolder } from '../support/scratch.js';

const { write } = scratchFolder();
const file = write('dpo.yaml', 'data: a.jsonl\nmethod: { name: dpo, beta: 0.2, loss: ipo-mean }\nrun: { dir: r }\n');

describe('a method over a recipe of another one', () => {
  it('drops the options of that one, also those of which the new method has one of the same name, and says so', async () => {
    const { recipe, notes } = await loadTrainRecipe(file, ['method=hindsight']);
    expect(recipe.method).toMatchObject({ name: 'hindsight', ratio: 0.25 });
    expect(notes).toEqual(['method=hindsight: left out of the recipe, which is for dpo: method.beta, method.loss.']);
    // KTO has a beta of its own.
    const kto = await loadTrainRecipe(file, ['train.steps=3', 'method.name=kto', 'method.desirableWeight=2']);
    expect([kto.recipe.method, kto.recipe.train.steps]).toMatchObject([{ name: 'kto', beta: 0.1, loss: 'kto', desirableWeight: 2 }, 3]);
    expect(kto.notes).toEqual(['method=kto: left out of the recipe, which is for dpo: method.beta, method.loss.']);
    expect((await loadTrainRecipe(file, ['method.beta=0.3', 'method=kto'])).recipe.method).toMatchObject({ name: 'kto', beta: 0.3 });
  });

  it('keeps what an override gives, right or wrong, and says nothing where nothing is left out', async () => {
    await expect(loadTrainRecipe(file, ['method=hindsight', 'method.beta=1'])).rejects.toThrow('unknown key "method.beta"');
    expect((await loadTrainRecipe(file, ['method.beta=0.5'])).notes).toEqual([]);
    expect((await loadTrainRecipe(file, ['method=dpo'])).recipe.method).toMatchObject({ beta: 0.2, loss: 'ipo-mean' });
    expect((await loadTrainRecipe(file, ['method={name: sft}'])).notes).toEqual([]);
    await expect(loadTrainRecipe(file, ['method=hindsite'])).rejects.toThrow('hindsite');
  });
});
