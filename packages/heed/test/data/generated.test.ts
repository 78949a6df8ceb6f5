import { describe, expect, it } from 'vitest';
import { examine } from '../../src/data/doctor.js';
import { looksCutOff, speltControl } from '../../src/data/generated.js';
import { parseRows } from '../../src/data/parse.js';

const long = 'The garden lies behind the house. In spring the first flowers come up between the stones';

describe('answers that were cut off', () => {
  it.each([
    long, `${long},`, `${long}. The steps:\n\n1. Wash all of the apples and peel any`, `${long}. It is the`,
      `Here is how you add two numbers in the language that you asked for:\n\`\`\`js\nconst a = 1;\nreturn a +`,
    'First wash the apples, then peel them and cut them into pieces.\n\nThen put them into a pot with',
  ])('%j', (text) => expect(looksCutOff(text)).toBe(true));

  it.each([
    'Paris', 'An apple and a pear', `${long}.`, `${long}."`, `${long} 🌷`, `${long}:\n- roses\n- tulips\n- lilies of the valley`,
    'Roses are red and the violets are blue\nSugar is sweet and the honey is too\nThe garden is quiet and so are you',
    `Here is how you add two numbers in the language that you asked for:\n\`\`\`js\nreturn 1 + 2\n\`\`\``,
    `${long}. Look! #garden #spring`, `${long}. There is more at https://example.org/a`, `${long}.\n\nSum: 12`,
    'apples pears plums cherries quinces figs dates grapes melons limes lemons oranges', `${long}。`,
      `${long}. Three sports:\n\n1. Football (American)\n2. Hockey (on ice)\n3. Tennis`,
    `${long}. Here are the fruits:\n\nApple, Banana, Pear`,
      `${long}. The numbers are:\n\n1, 1, 2, 3, 5, 8, 13, 21, 34`, `${long}. So it is:\n\n9.2 Celsius x 9/5 + 32 = 46.8 Fahrenheit`,
      'The sum is **12**, which is what the other way gives too: **12**',
  ])('and not %j', (text) => expect(looksCutOff(text)).toBe(false));

  it('the doctor lists, by their words and by how they ended', () => {
    const rows = ['stop', 'length',
      'length'].map((finish, i) => ({ prompt: 'p', completion: i === 0 ? long : `${long}.${i}.`, finish, n: 1 }));
    const { rows: train, notices, unused } = parseRows('completion',
      rows.map((fields, i) => ({ source: { file: 'f', line: i + 1 }, fields })));
    expect(unused).toEqual(['n']);
    const { findings } = examine('completion', { train, eval: [], skipped: [], notices });
    expect(findings.map(({ name, sources }) => [name, sources.map(({ line }) => line)]))
      .toEqual([['cut off when generated', [2, 3]], ['cut off', [1]]]);
  });
});

describe('control tokens as text', () => {
  it.each(['Hi<|im_end|>', '<s>Hi', '[INST] Hi [/INST]', 'x<end_of_turn>', '<｜end▁of▁sentence｜>', '<|eot_id|>'])('%s', (text) => {
    expect(speltControl(text)).toBeDefined();
  });

  it.each(['a < b | c > d', '<b>Hi</b>', '<sub>2</sub>', '[1] Instructions'])('and not %s', (text) => expect(speltControl(text))
    .toBeUndefined());

  it('the doctor lists them in prompts and in responses, those of the model too', () => {
    const rows = [['p', 'c'], ['p<|im_start|>', 'd'], ['p', 'e</s>'], ['p', '@end@']].map(([prompt, completion], i) => ({
      source: { file: 'f', line: i + 1 }, prompt: [{ role: 'user' as const, content: prompt! }], completion: completion!,
    }));
    const lines = (control?: string[]) => examine('completion', { train: rows, eval: [], skipped: [] }, { control }).findings
      .filter(({ name }) => name === 'control tokens').flatMap(({ sources }) => sources.map(({ line }) => line));
    expect(lines()).toEqual([2, 3]);
    expect(lines(['@end@', ''])).toEqual([2, 3, 4]);
  });
});
