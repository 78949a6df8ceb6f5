import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { answerTokens, askedTokens } from '../../src/judge/local-tokens.js';
import { comparison, ending, PLACES } from '../../src/label/compare.js';
import { CRITERIA } from '../../src/label/criteria.js';
import { choiceOptions, choiceSequences, type ChoiceOptions } from '../../src/method/choice.js';
import { type Model, loadModel } from '../../src/model/load.js';
import type { Message } from '../../src/text/template.js';
import { createRespond } from '../../src/text/respond.js';

// A judge knows only the words that it was taught with: what `choice` trains on must be, token for token, what the judge is asked.
const examples = (name: string): Record<string, unknown>[] =>
  readFileSync(join(import.meta.dirname, '../../../../examples', name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const options: ChoiceOptions = { normalise: choiceOptions.normalise.parse(undefined), endOfTurn: false };
const how = { criterion: CRITERIA.helpful, exemplars: [], reasons: false };

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});

interface Row { readonly prompt: readonly Message[]; readonly choices: readonly string[]; readonly label: number }

function rowsOf(name: string): Row[] {
  return examples(name).map(
    ({ prompt, ...row }) => ({ ...row, prompt: typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt }) as Row,
  );
}

const taught = ({ prompt, choices }: Row): readonly { readonly prompt: readonly number[]; readonly response: readonly number[] }[] =>
  choiceSequences(
    { prompt: [...prompt], choices: [...choices] },
    createRespond(model.template),
    options,
  ).answers;

describe('what a judge is taught with is what it is asked', () => {
  it.each([
    ['judge-toxicity.jsonl', 'Is this comment toxic, Yes or No?'],
    ['judge-refusal.jsonl', 'Does the response refuse the request, Yes or No?'],
    ['judge-truthfulness.jsonl', 'Is the answer true, Yes or No?'],
  ])('%s', (file, question) => {
    const rows = rowsOf(file);
    expect(new Set(rows.map(({ label }) => label))).toEqual(new Set([0, 1]));
    for (const row of rows) {
      expect(row.prompt.at(-1)!.content.endsWith(`\n${question}`)).toBe(true);
      const asked = { messages: row.prompt };
      const expected = row.choices.map((answer) => [...askedTokens(model, asked), ...answerTokens(model, asked, answer)]);
      expect(taught(row).map(({ prompt, response }) => [...prompt, ...response])).toEqual(expected);
    }
  });

  it('judge-preferences.jsonl: the words of the labeler, both orders', () => {
    const pairs = examples('preference.jsonl') as { prompt: string; chosen: string; rejected: string }[];
    const rows = rowsOf('judge-preferences.jsonl');
    const expected = pairs.flatMap(({ prompt, chosen, rejected }) =>
      (
        [
          [chosen, rejected],
          [rejected, chosen],
        ] as const
      ).map((shown, label) => ({ label, asked: comparison([{ role: 'user', content: prompt }], shown, how) })),
    );
    expect(rows).toHaveLength(expected.length);
    rows.forEach((row, i) => {
      const { label, asked } = expected[i]!;
      expect(row).toEqual({ prompt: asked.messages, choices: PLACES.map((place) => `${ending(how)}${place}`), label });
      expect(taught(row).map(({ prompt, response }) => [...prompt, ...response])).toEqual(
        PLACES.map((place) => [...askedTokens(model, asked), ...answerTokens(model, asked, place)]),
      );
    });
  });
});
