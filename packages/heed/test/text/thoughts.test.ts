import { describe, expect, it } from 'vitest';
import { openedThoughts, opensThoughts, speechOf } from '../../src/text/thoughts.js';

describe('what a model says without its thoughts', () => {
  it.each([
    ['<think>A kettle, well.</think>\n\nGood.', 'Good.'],
    ['<think>\n\n</think>\n\n1', '1'],
    ['\n<Thinking>Hm. Is "steel" right?</Thinking> "Steel" is wrong.', '"Steel" is wrong.'],
    ['<reasoning>It is fine.</reasoning>Perfect.', 'Perfect.'],
    ['<seed:think>so</seed:think>B', 'B'],
    ['◁think▷so◁/think▷B', 'B'],
    ['[THINK]so[/THINK]B', 'B'],
    ['<|START_THINKING|>so<|END_THINKING|><|START_RESPONSE|>Fine.<|END_RESPONSE|>', 'Fine.'],
    ['<think>first</think>\n<think>second</think>\nThe end is missing.', 'The end is missing.'],
    ['<think>a <think> within</think>Said.', 'Said.'],
    ['<think>so</think>\n<answer>\nThe end is missing.\n</answer>', 'The end is missing.'],
    ['<|channel|>analysis<|message|>We should look.<|end|><|start|>assistant<|channel|>final<|message|>Perfect.<|return|>', 'Perfect.'],
    ['analysisWe should look at the kettle.assistantfinalPerfect.', 'Perfect.'],
    // The system prompt of Sky-T1 and OpenThinker; MedGemma's chat template; Anthropic's prompts.
    ['<|begin_of_thought|>so<|end_of_thought|>\n\n<|begin_of_solution|>Too long.<|end_of_solution|>', 'Too long.'],
    ['<unused94>thought\nso<unused95>Too long.', 'Too long.'],
    ['<antThinking>so</antThinking>\nToo long.', 'Too long.'],
    ['Here is my thought process: it is short. Here is my response: Perfect.', 'Perfect.'],
  ])('%j says %j', (text, said) => {
    expect(speechOf(text)).toEqual({ text: said, unfinished: false, openedBefore: false });
  });

  it('leaves out what stands before an end that has no beginning', () => {
    expect(speechOf('The kettle… "amazing"?\n</think>\n\nPerfect.')).toEqual({ text: 'Perfect.', unfinished: false, openedBefore: true });
  });

  it.each([
    '<think>\nLet me see. The word',
    'Fine so far.\n<think>But wait',
    '<|channel|>analysis<|message|>We should',
    'analysisWe should look',
    'Here is my thought process: it is short',
    '<thought>Well',
    '<|begin_of_thought|>Well',
    '<unused94>thought\nWell',
  ])('knows that %j ends within thoughts', (text) => {
    expect(speechOf(text)).toMatchObject({ text: '', unfinished: true });
  });

  it.each([
    'The response shows its "<think>" mark to the reader.',
    'It should close `<think>` with `</think>`.',
    'I think "steel" is wrong. [think] of the weight.',
    '<root><reasoning>so</reasoning></root>',
    'The analysis is sound.',
    '  Spaces stay.  ',
  ])('leaves %j as it is', (text) => {
    expect(speechOf(text).text).toBe(text);
  });
});

it('knows thoughts by their first token, and prompts that end by opening them', () => {
  expect(['<think>', '<', '<thi', '<|channel|>', '\n<think>\n'].map(opensThoughts)).toEqual([true, true, true, true, true]);
  expect(['1', 'A', ' ', '"', 'Preferred'].map(opensThoughts)).toEqual([false, false, false, false, false]);
  expect(openedThoughts('<|im_start|>assistant\n<think>\n')).toBe('<think>');
  expect(openedThoughts('<|im_start|>assistant\n')).toBeUndefined();
});
