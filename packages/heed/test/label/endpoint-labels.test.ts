import { beforeAll, describe, expect, it } from 'vitest';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import type { Pair, Single } from '../../src/label/material.js';
import { labelPreferences, PreferencesOptions } from '../../src/label/preferences.js';
import { labelPrinciples, PrinciplesOptions } from '../../src/label/principles.js';
import { labelScores, ScoresOptions } from '../../src/label/scores.js';
import { chatPlaces, chatText, chatTop, type FaultyServer, faultyServer } from '../judge/faulty-server.js';
import { near } from './fake.js';

// Models that are asked to answer with "Score=8" and whose question ends with "Score=" say all of it: the label is what they say, not what
// is left beside it.
let server: FaultyServer;
beforeAll(async () => { server = await faultyServer(() => ({})); });

const source = { file: 'rows.jsonl', line: 1 };
const prompt = [{ role: 'user' as const, content: 'Say hi.' }];
const pair: Pair = { source, prompt, responses: ['long', 'short'] };
const single: Single = { source, prompt, completion: 'Hi.' };
const open = (more: Partial<EndpointOptions> = {}) =>
  createEndpointRespondent(EndpointOptions.parse({ url: server.url, model: 'm', retries: 0, samples: 4, ...more }));

/** A server whose likeliest first token begins the words of the prompt again, and whose samples say these texts. */
const echoes = (first: string, beside: Readonly<Record<string, number>>, samples: (question: string) => readonly string[]): void =>
  server.behave(({ body }) =>
    body['logprobs'] === true
      ? chatTop({ [first]: 0.9, ...beside })
      : chatText(...samples((body['messages'] as { content: string }[]).at(-1)!.content)),
  );

describe('a judge that says again how its answer begins', () => {
  it('preferences', async () => {
    // Beside it stands "1" whatever is shown; the samples prefer "short": three of four, and four of four.
    echoes('Preferred', { '1': 0.08, '2': 0.01 }, (question) =>
      /Response 1:\n"+\nlong/.test(question)
        ? ['Preferred Response=2', '**Preferred Response: 2**', 'Preferred Response=1', '2']
        : Array<string>(4).fill('Preferred Response=1'),
    );
    const { rows, failures, measures } = await labelPreferences([pair], open(), PreferencesOptions.parse({ name: 'preferences' }));
    expect(failures).toEqual([]);
    expect(rows).toEqual([
      {
        prompt: 'Say hi.',
        chosen: 'short',
        rejected: 'long',
        soft_label: near(0.875),
        orders: [near(0.75), near(1)],
        mass: near(1),
        from_samples: true,
      },
    ]);
    expect(measures.fromSamples).toBe(2);
  });

  it('scores', async () => {
    echoes('Score', { '1': 0.05, '2': 0.02 }, () => ['Score=8', 'Score=10', 'Score: 8/10', 'I would rather not.']);
    const { rows } = await labelScores([single], open(), ScoresOptions.parse({ name: 'scores' }));
    // Of the three that answer: (8 + 10 + 8) / 3; three of four answered.
    expect(rows).toMatchObject([{ rating: near(26 / 3), mass: near(0.75), from_samples: true }]);
  });

  it('principles', async () => {
    echoes('Better', { A: 0.05, B: 0.04 }, (question) =>
      /Answer A:\n"+\nlong/.test(question)
        ? ['Better answer=B', 'Better answer=B', 'Better answer=B', 'Better answer=A']
        : ['Better answer=A', 'Better answer=A', 'A', 'Better answer=B'],
    );
    const { rows } = await labelPrinciples([pair], open(), PrinciplesOptions.parse({ name: 'principles', principles: 'p.yaml' }), [
      { name: 'Concise', text: 'It is short.', negation: 'It is long.' },
    ]);
    // log ¼ − log ¾ for "long", shown first and second.
    expect(rows).toMatchObject([
      { principles: [{ score: near(-Math.log(3)), scores: [near(-Math.log(3)), near(-Math.log(3))] }], mass: near(1), from_samples: true },
    ]);
  });

  it('log-probabilities of all three, where the reply goes on to the answer', async () => {
    const reply = (
      words: readonly string[],
      question: string,
      first: Readonly<Record<string, number>>,
      second: Readonly<Record<string, number>>,
    ): object => {
      const top = /(?:Answer A|Response 1):\n"+\nshort/.test(question) ? second : first;
      return chatPlaces(...words.map((word) => [word, { [word]: 1 }] as const), [Object.keys(top)[0]!, top]);
    };
    server.behave(({ body }) => {
      const question = (body['messages'] as { content: string }[]).at(-1)!.content;
      if (question.endsWith('Score=')) return reply(['Score', '='], question, { '8': 0.5, '10': 0.25, '1': 0.25 }, {});
      if (question.endsWith('Better answer=')) return reply(['Better', ' answer', '='], question, { B: 0.6, A: 0.2 }, { A: 0.6, B: 0.2 });
      return reply(['Preferred', ' Response', '='], question, { '2': 0.6, '1': 0.2 }, { '1': 0.8, '2': 0.1 });
    });
    const judge = open({ samples: 0 });
    // ½ (0.6 / 0.8 + 0.8 / 0.9) for "short".
    expect((await labelPreferences([pair], judge, PreferencesOptions.parse({ name: 'preferences' }))).rows).toMatchObject([
      { chosen: 'short', soft_label: near((0.75 + 8 / 9) / 2), mass: near(0.85) },
    ]);
    // 0.5 · 8 + 0.25 · 10 + 0.25 · 1; what the others have together is a rounding error.
    const { rows: [row] } = await labelScores([single], judge, ScoresOptions.parse({ name: 'scores' }));
    expect(row!['rating']).toBeCloseTo(6.75, 5);
    const principles = [{ name: 'Concise', text: 'It is short.', negation: 'It is long.' }];
    expect(
      (await labelPrinciples([pair], judge, PrinciplesOptions.parse({ name: 'principles', principles: 'p.yaml' }), principles)).rows,
    ).toMatchObject([{ principles: [{ score: near(-Math.log(3)) }] }]);
  });

  it('says why there is no label, where no samples may be taken', async () => {
    echoes('Preferred', { '1': 0.08, '2': 0.01 }, () => []);
    const { rows, failures } = await labelPreferences([pair], open({ samples: 0 }), PreferencesOptions.parse({ name: 'preferences' }));
    expect(rows).toEqual([]);
    expect(failures).toMatchObject([
      {
        failure: 'no-such-answer',
        detail: expect.stringMatching(
          /^the token "Preferred" only leads up to an answer, and is likelier than all answers, and the server is not asked to go on: set begun:/,
        ) as string,
      },
    ]);
  });
});
