/** Public sets of ratings and preferences. */
import { describe, expect, it } from 'vitest';
import { findings, refusals, rows } from './support.js';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const context = [user('Fruit?')];

describe('HelpSteer', () => {
  it('in versions 2 and 3 alike, a number above 0 says that the second answer is better, and 0 that neither is', () => {
    const second = (by: number) => ({ prompt: 'Fruit?', response_1: 'one', response_2: 'two', preference_strength: by });
    const third = (by: number) => ({ context, response1: 'one', response2: 'two', overall_preference: by });
    for (const make of [second, third] as readonly ((by: number) => object)[]) {
      expect(rows(findings('helpsteer', [2, -3, 0].map(make)), 'preference')).toMatchObject([
        { chosen: 'two', rejected: 'one', margin: 2 }, { chosen: 'one', rejected: 'two', margin: 3 }, { soft_label: 0.5, margin: 0 },
      ]);
    }
  });

  it('the share of the votes is the soft label', () => {
    const voted = { context, response1: 'one', response2: 'two', overall_preference: -1 };
    const share = (scores: number[]) => findings('helpsteer', [{ ...voted, individual_preference: scores.map((score) => ({ score })) }]);
    expect(rows(share([-2, -1, 3]), 'preference')).toMatchObject([{ chosen: 'one', soft_label: 2 / 3 }]);
    expect(rows(share([-2, 0]), 'preference')).toMatchObject([{ chosen: 'one', soft_label: 0.75 }]);
  });

  it('scores of two neighbouring answers to one prompt make a pair; marks of turns are read', () => {
    const scored = (prompt: string, response: string, helpfulness: number) => ({ prompt, response, helpfulness, verbosity: 1 });
    const long = 'Fruit?\n<extra_id_1>Assistant\nPear.\n<extra_id_1>User\nAnother?';
    const found = findings('helpsteer', [scored(long, 'Leek.', 0), scored(long, 'Plum.', 3), scored('Fruit?', 'Fig.', 4)]);
    const prompt = [user('Fruit?'), assistant('Pear.'), user('Another?')];
    expect(rows(found, 'preference')).toEqual([{ id: 'row-1', prompt, chosen: 'Plum.', rejected: 'Leek.', margin: 3 }]);
    expect(rows(found, 'scored', { score: 'helpfulness' })).toHaveLength(3);
    expect(() => rows(found, 'scored')).toThrow('There are 2 metrics that are scores: helpfulness, verbosity.');
  });

  it("feedback in words is a judgment where it is said from which level on an answer is good; edits refine", () => {
    const feedback = ['The response is perfectly helpful. Right.', 'The response is partially helpful. A root.', 'No opening.'];
    const found = findings('helpsteer', [{ context, response: 'Carrot', feedback }]);
    expect(rows(found, 'scored').map((row) => (row as { score: number }).score)).toEqual([4, 2]);
    expect(rows(found, 'judged', { goodFrom: 4 })).toMatchObject([
      { judgment: feedback[0], satisfied: true }, { judgment: feedback[1], satisfied: false },
    ]);
    const edited = findings('helpsteer', [{ context, original_response: 'Carrot', edited_response: 'Pear', feedback: 'A root.' }]);
    expect(rows(edited, 'refined')).toMatchObject([{ completion: 'Carrot', judgment: 'A root.', refinement: 'Pear' }]);
    const edits = findings('helpsteer', [{ context, good_edited_response: 'Pear', bad_edited_response: 'Carrot' }]);
    expect(rows(edits, 'preference')).toMatchObject([{ chosen: 'Pear', rejected: 'Carrot' }]);
  });
});

describe('UltraFeedback', () => {
  const pair = (chosen: string, rejected: string, better: number, worse: number) => ({
    prompt_id: 'p', chosen: [user('Fruit?'), assistant(chosen)], rejected: [user('Fruit?'), assistant(rejected)],
    score_chosen: better, score_rejected: worse,
  });

  it('the difference of the scores is the margin; equal scores are a tie; equal answers and turned scores are refused', () => {
    const found = findings('ultrafeedback', [
      pair('Pear.', 'Leek.', 9, 4.5), pair('Pear.', 'Fig.', 8, 8), pair('a', 'a', 8, 7), pair('a', 'b', 1, 2),
    ]);
    expect(rows(found, 'preference')).toEqual([
      { id: 'p', prompt: [user('Fruit?')], chosen: 'Pear.', rejected: 'Leek.', margin: 4.5 },
      { id: 'p', prompt: [user('Fruit?')], chosen: 'Pear.', rejected: 'Fig.', margin: 0, soft_label: 0.5 },
    ]);
    expect(refusals(found)).toEqual({ 'the chosen answer has the lower score': 1 });
  });
});

describe('ShareGPT', () => {
  it('leaves out answers before the first question, joins turns of one speaker, and says so', () => {
    const turns = [['gpt', 'Hi!'], ['human', 'Fruit?'], ['human', 'Any.'], ['gpt', 'Pear.']].map(([from, value]) => ({ from, value }));
    const found = findings('sharegpt', [{ conversations: turns, system: 'Be brief.' }]);
    expect(rows(found, 'conversation')).toEqual([{ system: 'Be brief.', messages: [user('Fruit?\n\nAny.'), assistant('Pear.')] }]);
    expect(Object.fromEntries(found.notes)).toEqual({
      'answers before the first question were left out': 1, 'turns of one speaker in a row were joined by an empty line': 1,
    });
  });

  it('preferences and votes; an unknown speaker is refused', () => {
    const conversations = [{ from: 'human', value: 'Fruit?' }];
    const found = findings('sharegpt', [
      { conversations, chosen: { from: 'gpt', value: 'Pear.' }, rejected: { from: 'gpt', value: 'Leek.' } },
      { conversations: [...conversations, { from: 'gpt', value: 'Leek.' }], kto_tag: false },
      { conversations: [{ from: 'bard', value: 'x' }] }, { conversations, kto_tag: true },
    ]);
    expect(rows(found, 'preference')).toEqual([{ prompt: [user('Fruit?')], chosen: 'Pear.', rejected: 'Leek.' }]);
    expect(rows(found, 'labelled')).toEqual([{ prompt: [user('Fruit?')], completion: 'Leek.', label: false }]);
    expect(Object.values(refusals(found))).toEqual([1, 1]);
  });
});
