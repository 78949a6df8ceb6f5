import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findsNothing, looksLikePraise, verdictInWords } from '../../src/data/judgment.js';

describe('the perfect rule', () => {
  it.each([
    'Perfect.',
    'perfect',
    ' "Perfect." ',
    '**Perfect!**',
    'PERFECT',
    '“Perfect”',
    'The response is perfect.',
    'This answer is already perfect!',
    'Perfect answer.',
    'A perfect response!',
    'Perfect. It names three fruits, as was asked.',
    'Perfect!\n\nThe sum is right.',
    '**Perfect.** Clear and short.',
    'Perfect. Nothing could be better.',
    'Perfect. There are no mistakes.',
    'Perfect. Nothing is missing, nothing is wrong.',
    'The response is perfect. It correctly ranks the animals.',
    'Perfect. "Paris" is right.',
    'The response is perfect. The responder not only gave a title, the reasons are there too.',
    'Perfect. Without any real errors.',
  ])('%j is satisfied', (judgment) => {
    expect(verdictInWords(judgment)).toBe('perfect');
    expect(looksLikePraise(judgment)).toBe(true);
    expect(findsNothing(judgment)).toBe(true);
  });

  it.each([
    'Perfect grammar, but the answer is wrong.',
    'The response is perfect except that it is false.',
    '"perfect" is a hype word.',
    '"Perfect!" is hype.',
    '"Perfect." This word is hype.',
    'Perfect?',
    'The response is perfect, but it includes unnecessary explanation.',
    'The response is almost perfect, but it is too long.',
    'The response is not perfect.',
    'Imperfect.',
    'Not perfect.',
    'The present perfect is wrong here.',
    'Perfectly wrong.',
    'A perfect score is far.',
    'Perfect would be "Paris"; this is London.',
    'The response is perfect in terms of the title. However, only a title was asked for.',
  ])('%j is criticism', (judgment) => {
    expect(verdictInWords(judgment)).toBe('criticism');
    expect(findsNothing(judgment)).toBe(false);
  });

  it.each([
    'Perfect. However, the date is wrong.',
    'Perfect! But it could be shorter.',
    'The response is perfect. It could be shorter.',
    'Perfect. It doesn’t name the capital.',
    'Perfect. The sum is incorrect.',
    'Perfect. There are no mistakes, but one name is missing.',
  ])('%j says both', (judgment) => {
    expect(verdictInWords(judgment)).toBe('contradiction');
    expect(findsNothing(judgment)).toBe(false);
  });

  it('never takes words that go on for the sentence', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(
        fc.constantFrom('Perfect', 'The response is perfect', '"Perfect"', '"Perfect."', 'Perfect,', 'Perfect.'),
        fc.array(word, { minLength: 1, maxLength: 6 }),
        (opening, words) => {
          fc.pre(!/^(response|answer|output|reply)$/.test(words[0]!));
          expect(verdictInWords(`${opening} ${words.join(' ')}.`)).toBe('criticism');
        },
      ),
    );
  });

  it.each([
    ['Nothing to mend.', true],
    ['nothing to mend', true],
    ['Nothing to mend. The rule is kept.', true],
    ['Nothing to mend in the grammar, but the facts are wrong.', false],
    ['Nothing to mend. However, it is rude.', false],
    ['There is much to mend.', false],
  ])('%j: nothing to mend is %j', (critique, nothing) => expect(findsNothing(critique)).toBe(nothing));

  it.each([
    ['Perfect grammar, but the answer is wrong.', false],
    ['The response is perfect, but it is long.', false],
    ['"perfect" is a hype word.', false],
    ['The response is perfect because it is short.', true],
    ['thanks!', true], ['Great, thank you very much.', true], ['LGTM', true], ['👍🏽', true], ['ok', true], ['No issues.', true],
    ['thanks for nothing', false], ['Good, but too long.', false], ['Good question is filler.', false], ['not helpful', false],
    ['ok?', false], ['', false], ['...', false],
  ])('to the doctor, %j looks like praise: %j', (judgment, praise) => expect(looksLikePraise(judgment)).toBe(praise));
});
