import { describe, expect, it } from 'vitest';
import { LabelRecipe } from '../../src/label/recipe.js';
import { hideKeys, isKeyField, looksLikeKey } from '../../src/run/keys.js';
import { checkRecipe } from '../../src/run/recipe.js';

// What looks like a key, made up for this test.
const KEYS = [
  'sk-proj-verysecret123',
  'sk_live_secret',
  'hf_abcDEFverysecret',
  'AKIAVERYSECRET7EXAMPLE',
  'aVerySecret1Word2With3Digits',
  'verysecret0123456789abcdef',
];

const recipe = (endpoint: string): string =>
  `data: pairs.jsonl\njudge:\n  endpoint:\n    url: http://127.0.0.1:8000/v1\n    model: m\n    ${endpoint}\n`
  + `label: preferences\nrun: { dir: x }\n`;
const problem = (text: string, ...overrides: string[]): string => {
  try {
    checkRecipe(text, 'r.yaml', overrides, LabelRecipe);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The recipe was taken.');
};

describe('a key in a recipe', () => {
  it.each(KEYS)('in place of the name of its variable is refused and never shown: %s', (key) => {
    const told = problem(recipe(`keyFrom: ${key}`));
    expect(told).toMatch(/^r\.yaml:6: "judge\.endpoint\.keyFrom": expected the name of an environment variable/);
    for (const message of [
      told,
      problem(recipe('samples: 8'), `judge.endpoint.keyFrom=${key}`),
      problem(recipe('samples: 8'), `judge={endpoint: {url: "http://x/v1", model: m, keyFrom: ${key}}}`),
    ]) {
      expect(message).toContain('expected the name of an environment variable');
      expect(message.toLowerCase()).not.toContain('secret');
    }
  });

  it.each([
    'api_key: verysecret',
    'Authorization: Bearer verysecret',
    'headers: { "x-api-key": verysecret }',
    'token: verysecret',
    'user: sk-verysecret',
  ])('in further fields is refused and never shown: %s', (field) => {
    for (const message of [problem(recipe(`extra: { ${field} }`)), problem(recipe('samples: 8'), `judge.endpoint.extra={ ${field} }`)]) {
      expect(message).toMatch(/may hold a key, and recipes are kept and shown: name the key's environment variable with keyFrom$/);
      expect(message).not.toContain('verysecret');
    }
  });

  it('in a wrong place is not shown either', () => {
    expect(problem(recipe('extra: sk-proj-verysecret123'))).toBe('r.yaml:6: "judge.endpoint.extra" is "[key]"; expected a section');
    expect(problem(recipe('samples: 8'), 'judge=sk-proj-verysecret123')).not.toContain('verysecret');
  });

  it('is not taken for one where it is the name of a variable or a field that is no key', () => {
    for (const name of ['OPENAI_API_KEY', 'OPENAI_API_KEY_2', 'HF_TOKEN', 'my_key', 'KEY', 'AZURE_OPENAI_API_KEY_2025']) {
      expect(looksLikeKey(name), name).toBe(false);
      expect(checkRecipe(recipe(`keyFrom: ${name}`), 'r.yaml', [], LabelRecipe).text).toContain(name);
    }
    for (const field of ['max_completion_tokens', 'prompt_cache_key', 'reasoning_effort', 'stop_token_ids', 'tokenizer'])
      expect(isKeyField(field), field).toBe(false);
    checkRecipe(recipe('extra: { reasoning_effort: low, chat_template_kwargs: { enable_thinking: false } }'), 'r.yaml', [], LabelRecipe);
    expect(hideKeys('hf-internal-testing/tiny: a task-oriented-model')).toBe('hf-internal-testing/tiny: a task-oriented-model');
  });
});
