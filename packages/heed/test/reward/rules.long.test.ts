import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { UserError } from '../../src/errors.js';
import { openReward } from '../../src/reward/open.js';
import { forbiddenWords, maxWords, minWords, mustMention } from '../../src/reward/rules/checks.js';
import { applyRules, createRulesReward } from '../../src/reward/rules.js';
import { loadRules, parseRules } from '../../src/reward/rules/load.js';
import { forbiddenPattern } from '../../src/reward/rules/pattern.js';
import { defineRule, joinQuotes, matches, renderMessage } from '../../src/reward/rules/rule.js';
import type { Check } from '../../src/reward/rules/rule.js';

const found = (check: Check, text: string): string[] => check(text).map(({ start, end, quote }) => quote ?? text.slice(start, end));

describe('forbidden words', () => {
  it.each([
    [['we'], 'We weigh what we owe; we’re weary.', ['We', 'we']],
    [["we're"], 'We’re here, we\'re there.', ['We’re', "we're"]],
    [['best'], 'best-selling, the BEST, bestow', ['best', 'BEST']],
    [['must-have'], 'A must-have; must have', ['must-have']],
    [['environmentally friendly'], 'an environmentally\n friendly bag', ['environmentally\n friendly']],
    [['schön', 'ÜBER'], 'Schönheit ist schön, über uns', ['schön', 'über']],
    [['café'], 'cafés, Café.', ['Café']],
    [['C++ (fast)'], 'no words', []],
    [['perfect', 'perfect fit'], 'a perfect fit', ['perfect fit']],
    [['лучший'], 'Самый лучший!', ['лучший']],
  ])('%j in %j', (list, text, expected) => {
    expect(found(forbiddenWords(list), text)).toEqual(expected);
  });

  it('says where they stand', () => {
    expect(forbiddenWords(['you'])('Is it 🙂 you?')).toEqual([{ start: 9, end: 12 }]);
  });

  it('finds any word it is given, whatever characters it has', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z][ -~]{0,10}[a-z]$/), (word) => {
      expect(found(forbiddenWords([word]), `· ${word} ·`)).toEqual([word]);
    }));
  });
});

describe('the other kinds', () => {
  it('patterns', () => {
    expect(found(forbiddenPattern('!+|\\p{Extended_Pictographic}', false, 'f'), 'So good!! 🙂')).toEqual(['!!', '🙂']);
    expect(found(forbiddenPattern('free', true, 'f'), 'FREE and free')).toEqual(['FREE', 'free']);
    expect(found(forbiddenPattern('x*', false, 'f'), 'axxb')).toEqual(['xx']);
  });

  it('a pattern that backtracks for ever is stopped, and named', () => {
    const slow = forbiddenPattern('(a+)+$', false, 'style.yaml: rule "slow"');
    expect(() => slow(`${'a'.repeat(40)}b`)).toThrow(/style\.yaml: rule "slow": the pattern .* takes more than 5000 ms/);
  });

  it('word counts quote the end or the excess', () => {
    expect(found(minWords(4), 'A brass lamp.')).toEqual(['A brass lamp']);
    expect(found(minWords(3), 'A brass lamp.')).toEqual([]);
    expect(found(maxWords(2), 'A brass lamp of quite some weight and price.')).toEqual(['lamp of quite some weight and']);
    expect(found(maxWords(9), 'A brass lamp.')).toEqual([]);
  });

  it('a word that must be mentioned is quoted', () => {
    expect(found(mustMention(['lamp', 'brass']), 'A lamp.')).toEqual(['brass']);
  });
});

describe('messages', () => {
  it('joins quotes, each once', () => {
    expect(joinQuotes(['You'])).toBe('"You"');
    expect(joinQuotes(['you', 'You', 'we'])).toBe('"you" and "we"');
    expect(joinQuotes(['a', 'b', 'c', 'a'])).toBe('"a", "b" and "c"');
  });

  it('puts quotes in unread', () => {
    expect(renderMessage('{count}: {quotes}.', ['$&', '{count}'])).toBe('2: "$&" and "{count}".');
  });

  it('a rule in TypeScript', () => {
    const price = defineRule({ id: 'prices', check: (text) => matches(text, /[$€£]\s?\d+/gu), message: 'It names the price {quotes}.' });
    expect(applyRules([price], 'For only €20, once $ 30.').reason).toBe('It names the price "€20" and "$ 30".');
    expect(() => defineRule({ id: 'x', check: () => [], message: 'Bad.' })).toThrow('does not quote');
    expect(() => defineRule({ id: 'x', check: () => [], message: '{quotes} {words}' })).toThrow('unknown placeholder {words}');
  });
});

const STYLE = join(import.meta.dirname, '../../../../examples/house-style/house-style.rules.yaml');

describe('the house style', () => {
  it('says what is wrong and quotes it', async () => {
    const { name, rules, fingerprint } = await loadRules(STYLE);
    expect(name).toBe('house style');
    const reward = await openReward(`rules:${STYLE}`);
    // A resume sees whether the file was changed.
    expect(reward.name).toBe(`rules:house style ${fingerprint}`);
    expect(reward.drawsLine).toBe(true);
    const response = 'Our **best** lamp is perfect for you! You can always trust the best.';
    const [rated] = await reward.rate([{ prompt: [{ role: 'user', content: 'Describe a lamp.' }], response }]);
    expect(rated).toEqual(applyRules(rules, response));
    const { reason, value, findings } = applyRules(rules, response);
    expect(reason).toBe(
      'It uses the words "Our" and "you", which are not in the third person. It uses the words "best" and "perfect", which are hype. ' +
        'It uses the words "always", which promise what nobody can prove. ' +
        'It uses the signs "**" and "!", which do not belong in plain text.',
    );
    expect(rated).toMatchObject({ satisfied: false });
    expect(value).toBeCloseTo(0.2, 12);
    // Our, you, you, best, best, perfect, always, **, **, !
    expect(findings).toHaveLength(10);
    for (const { quote, start, end } of findings!) expect(response.slice(start, end)).toBe(quote);
  });

  it('has nothing against plain text, and something against none', async () => {
    const reward = await openReward({ rules: STYLE });
    const responses = ['The lamp has a shade of green glass and a foot of brass.', 'A lamp.', ' \n'];
    const items = responses.map((response) => ({ prompt: [], response }));
    expect(await reward.rate(items)).toMatchObject([
      { satisfied: true, reason: null, findings: [], value: 1 },
      { satisfied: false, reason: 'It ends too soon, after "A lamp".' },
      { satisfied: false, reason: 'The answer is empty.', value: 0 },
    ]);
  });
});

describe('rule files', () => {
  const rules = (body: string): string => `rules:\n  - id: a\n${body.split('\n').map((line) => `    ${line}`).join('\n')}\n`;
  const problem = (text: string): string => {
    try {
      parseRules(text, 'style.yaml');
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
    return '';
  };

  it.each([
    ['kind: forbidden-word\nwords: [a]\nmessage: "{quotes}"', /style\.yaml:3: .*"forbidden-word".* did you mean "forbidden-words"/],
    [
      'kind: forbidden-words\nword: [a]\nmessage: "{quotes}"',
      /style\.yaml:4: unknown key "rules\.0\.word".*did you mean "rules\.0\.words"/,
    ],
    ['kind: forbidden-words\nwords: []\nmessage: "{quotes}"', /style\.yaml:4: .*at least 1/],
    ['kind: forbidden-words\nwords: ["!"]\nmessage: "{quotes}"', /style\.yaml:4: .*use forbidden-pattern/],
    ['kind: forbidden-words\nwords: [a]\nmessage: Bad words', /style\.yaml:5: .*does not quote what was found/],
    ['kind: forbidden-pattern\npattern: "("\nmessage: "{quotes}"', /style\.yaml:4: .*Unterminated group/],
    ['kind: forbidden-pattern\npattern: "x*"\nmessage: "{quotes}"', /style\.yaml:4: .*matches the empty text/],
    ['kind: min-words\nwords: 0\nmessage: "{quotes}"', /style\.yaml:4: .*at least 1/],
    ['kind: min-words\nmessage: "{quotes}"', /style\.yaml:2: .*"rules\.0\.words" is missing/],
  ])('%j', (body, expected) => {
    expect(problem(rules(body))).toMatch(expected);
  });

  it('two rules of one id, no rules, no file', async () => {
    const one = '  - {id: a, kind: min-words, words: 3, message: "{quotes}"}\n';
    expect(problem(`rules:\n${one}${one}`)).toMatch(/style\.yaml:3: .*"a" is already that of rule 1/);
    expect(problem('rules: []')).toMatch(/at least 1/);
    expect(problem('')).toMatch(/"rules" is missing/);
    await expect(loadRules('/nowhere/x.yaml')).rejects.toThrow('There is no rule file /nowhere/x.yaml');
    expect(() => createRulesReward('j', [])).toThrow('no rules');
  });

  it('any text is rules or a UserError', () => {
    const likeRules = fc.stringMatching(/^rules:\n( {2,6}-? ?(id|kind|words|message|pattern): ?[a-z{}[\]"-]*\n){1,6}$/);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), likeRules), (text) => {
      try {
        parseRules(text, 'x.yaml');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }));
  });
});
