import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { scratchFolder } from '../support/scratch.js';
import { jsonl, leftOutOf, planned, rolesOf, rowsOf } from './support.js';

const { write } = scratchFolder();

describe('a log is recognised', () => {
  it('as a spreadsheet of another country: semicolons, German names and votes', async () => {
    const file = write(
      'umfrage.csv',
      [
        'Frage;Antwort;Bewertung;Kommentar;Datum',
        'Wie lange dauert der Versand?;"Zwei Tage; mit Express einen.";ja;;03.02.2026',
        'Wo ist mein Paket?;Keine Ahnung.;nein;"Unhöflich: ""Keine Ahnung"" ist keine Antwort.";04.02.2026',
        'Kann ich umtauschen?;Ja, 30 Tage lang.;gut;;05.02.2026',
        'Gibt es Rabatt?;;schlecht;;06.02.2026',
      ].join('\r\n'),
    );
    const { log, plan } = await planned(file);
    expect(rolesOf(log)).toEqual({ prompt: 'Frage', completion: 'Antwort', vote: 'Bewertung', comment: 'Kommentar', date: 'Datum' });
    expect(rowsOf(plan)).toEqual([
      { prompt: 'Wie lange dauert der Versand?', completion: 'Zwei Tage; mit Express einen.', judgment: null, satisfied: true },
      {
        prompt: 'Wo ist mein Paket?',
        completion: 'Keine Ahnung.',
        judgment: 'Unhöflich: "Keine Ahnung" ist keine Antwort.',
        satisfied: false,
      },
      { prompt: 'Kann ich umtauschen?', completion: 'Ja, 30 Tage lang.', judgment: null, satisfied: true },
    ]);
    expect(leftOutOf(plan)).toEqual({ 'rows without an answer': [5] });
    expect(plan.parts.by).toBe('date');
    expect(plan.parts.heldOut.map(({ answer }) => answer.source.line)).toEqual([4]);
  });

  it('as tickets: what names each row is no conversation, and votes are words', async () => {
    const line = (i: number): string => [
      `T-${i}`, `K${i % 3}`, `Frage ${i}: wie geht das?`, `So geht es, Schritt ${i}.`, i % 2 === 0 ? 'Hilfreich' : 'nicht hilfreich',
      i % 2 === 0 ? '' : 'Sagt nicht, wo.', i % 2 === 0 ? 5 : 2,
    ].join(';');
    const lines = Array.from({ length: 12 }, (_, i) => line(i));
    const head = 'Ticket;Kunde;Frage;Antwort;Bewertung;Bemerkung;Sterne';
    const { log, plan } = await planned(write('tickets.csv', [head, ...lines].join('\n')));
    expect(rolesOf(log)).toEqual({
      prompt: 'Frage', completion: 'Antwort', vote: 'Bewertung', comment: 'Bemerkung', score: 'Sterne', user: 'Kunde', id: 'Ticket',
    });
    expect(plan.taken).toMatchObject({ method: 'cut', why: '6 comments that say what is wrong, 6 good answers' });
    expect(leftOutOf(plan)).toEqual({});
  });

  it('as one object that holds a list, with replies of an API and nested feedback', async () => {
    const reply = (content: string): object => ({
      id: 'r',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    });
    const file = write(
      'export.json',
      JSON.stringify({
        exported: '2026-02-01',
        items: [
          {
            request: {
              model: 'm',
              messages: [
                { role: 'system', content: 'Be brief.' },
                { role: 'user', content: 'Hi there' },
              ],
            },
            response: reply('Hello.'),
            feedback: { rating: 1 },
          },
          {
            request: { model: 'm', messages: [{ role: 'user', content: 'Name a fruit' }] },
            response: reply('Carrot.'),
            feedback: { rating: -1 },
          },
          {
            request: { model: 'm', messages: [{ role: 'user', content: 'Name a nut' }] },
            response: reply('Pea.'),
            feedback: { rating: 0 },
          },
        ],
      }),
    );
    const { log, plan } = await planned(file);
    expect(rolesOf(log)).toMatchObject({ messages: 'request.messages', completion: 'response', vote: 'feedback.rating' });
    expect(rowsOf(plan)).toEqual([
      {
        prompt: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi there' },
        ],
        completion: 'Hello.',
        label: true,
      },
      { prompt: 'Name a fruit', completion: 'Carrot.', label: false },
    ]);
    expect(leftOutOf(plan)).toEqual({ 'answers whose feedback lacks what this kind of row needs': [3] });
  });

  it('as stars, with the scale that makes them votes', async () => {
    const file = write(
      'stars.jsonl',
      jsonl([5, 4, 3, 2, 1].map((stars, i) => ({ prompt: `q${i} is what?`, response: `a${i} it is`, stars }))),
    );
    const { log, plan } = await planned(file);
    expect(log.values.scale).toEqual({ from: 1, to: 5, good: 4, bad: 2 });
    expect(plan.taken).toMatchObject({ method: 'kto', rows: 4 });
    expect(leftOutOf(plan)).toEqual({ 'answers whose feedback lacks what this kind of row needs': [3] });
    const scored = await planned(file, {}, { method: 'hindsight-reward' });
    expect(rowsOf(scored.plan).map(({ score }) => score)).toEqual([5, 4, 3, 2, 1]);
    expect(scored.plan.recipe).toMatch(/threshold: 4 /);
    const strict = await planned(file, { values: { 4: null, 3: false } });
    expect(rowsOf(strict.plan).map(({ label }) => label)).toEqual([true, false, false, false]);
  });

  it('as one message a row: answers with what came before them', async () => {
    const file = write(
      'messages.csv',
      [
        'session_id,author,text,rating,ts',
        's1,customer,Do you ship?,,2026-01-01 10:00',
        's2,customer,Hello there,,2026-01-01 10:01',
        's1,bot,Yes.,up,2026-01-01 10:02',
        's1,customer,How much?,,2026-01-01 10:03',
        's2,bot,Go away.,down,2026-01-01 10:04',
        's1,bot,Five euros.,up,2026-01-01 10:05',
        's1,moderator,closed,,2026-01-01 10:06',
        's3,bot,Anyone?,down,2026-01-01 10:07',
      ].join('\n'),
    );
    const { log, plan } = await planned(file);
    expect(log.context).toBe(3);
    expect(rowsOf(plan)).toEqual([
      { prompt: 'Do you ship?', completion: 'Yes.', label: true },
      { prompt: 'Hello there', completion: 'Go away.', label: false },
      {
        prompt: [
          { role: 'user', content: 'Do you ship?' },
          { role: 'assistant', content: 'Yes.' },
          { role: 'user', content: 'How much?' },
        ],
        completion: 'Five euros.',
        label: true,
      },
    ]);
    expect(leftOutOf(plan)).toEqual({
      'messages of someone who is neither user nor assistant': [8],
      'answers without a question: no turn of a user comes before them': [9],
    });
  });

  it('as transcripts, spelt turns and turns of other names', async () => {
    const turns = [
      { from: 'human', value: 'Hi.' },
      { from: 'gpt', value: 'Hello.' },
      { from: 'human', value: 'Bye.' },
      { from: 'gpt', value: 'See you.' },
    ];
    const as = [
      write('transcript.jsonl', jsonl([{ chat: 'User: Hi.\nBot: Hello.\nUser: Bye.\nBot: See you.', thumbs: 'up' }])),
      write('spelt.csv', `chat,thumbs\n"${JSON.stringify(turns).replaceAll('"', '""')}",up\n`),
      write(
        'other.jsonl',
        jsonl([
          { chat: turns.map(({ from, value }) => ({ speaker: from === 'gpt' ? 'Agent' : 'Customer', text: value })), thumbs: 'up' },
        ]),
      ),
    ];
    for (const file of as) {
      expect(rowsOf((await planned(file)).plan), file).toEqual([
        {
          prompt: [
            { role: 'user', content: 'Hi.' },
            { role: 'assistant', content: 'Hello.' },
            { role: 'user', content: 'Bye.' },
          ],
          completion: 'See you.',
        },
      ]);
    }
  });

  it('as pairs: by two columns and which is better, by chosen and rejected', async () => {
    const sides = write(
      'sides.csv',
      [
        'question,response_a,response_b,winner',
        'Name a fruit,Pear,Carrot,A',
        'Name a nut,Pea,Hazel,response_b',
        'Name a tree,Oak,Elm,tie',
        'Name it,X,X,A',
      ].join('\n'),
    );
    const { plan } = await planned(sides);
    expect(plan.taken.method).toBe('dpo');
    expect(rowsOf(plan)).toEqual([
      { prompt: 'Name a fruit', chosen: 'Pear', rejected: 'Carrot' },
      { prompt: 'Name a nut', chosen: 'Hazel', rejected: 'Pea' },
    ]);
    expect(leftOutOf(plan)).toEqual({ 'pairs whose answers are equally good': [4], 'pairs of two equal answers': [5] });
    const turns = (answer: string): object[] => [
      { role: 'user', content: 'Name a fruit' },
      { role: 'assistant', content: answer },
    ];
    const whole = write(
      'whole.jsonl',
      jsonl([
        { chosen: turns('Pear'), rejected: turns('Carrot') },
        { chosen: turns('Fig'), rejected: turns('Leek') },
      ]),
    );
    expect(rowsOf((await planned(whole)).plan)[0]).toEqual({ prompt: 'Name a fruit', chosen: 'Pear', rejected: 'Carrot' });
    // HelpSteer's rule: below 0 the first is better.
    const strength = write(
      'strength.jsonl',
      jsonl([
        { prompt: 'Name a fruit', response_1: 'Pear', response_2: 'Carrot', preference_strength: -2 },
        { prompt: 'Name a nut', response_1: 'Pea', response_2: 'Hazel', preference_strength: 1 },
      ]),
    );
    expect(rowsOf((await planned(strength)).plan).map(({ chosen }) => chosen)).toEqual(['Pear', 'Hazel']);
  });

  it('as corrections: the corrected answer is preferred', async () => {
    const file = write(
      'corrected.jsonl',
      jsonl(
        ['Pear', 'Fig', 'Lime', 'Plum', 'Kiwi'].map((fruit, i) => ({
          question: `Name fruit ${i}`,
          answer: `Carrot ${i}`,
          corrected_answer: fruit,
          comment: 'That is a vegetable.',
        })),
      ),
    );
    const { plan } = await planned(file, { comments: 'faults' });
    expect(plan.fits.map(({ method }) => method)).toEqual(['dpo', 'ilf-dpo', 'cut', 'hindsight', 'd2o', 'npo', 'sft']);
    expect(rowsOf(plan)[0]).toEqual({ prompt: 'Name fruit 0', chosen: 'Pear', rejected: 'Carrot 0' });
    const refined = await planned(file, { comments: 'faults' }, { method: 'ilf-dpo' });
    expect(rowsOf(refined.plan)[0]).toMatchObject({
      completion: 'Carrot 0',
      judgment: 'That is a vegetable.',
      satisfied: false,
      refinement: 'Pear',
    });
    expect(refined.plan.recipe).not.toContain('refine    #');
  });
});

describe('what only the owner can know', () => {
  it('is asked: what comments mean where nobody voted', async () => {
    const file = write(
      'comments.jsonl',
      jsonl([
        { question: 'Which fruit?', answer: 'Carrot.', feedback: 'That is no fruit.' },
        { question: 'Which nut?', answer: 'Hazel.', feedback: null },
      ]),
    );
    const { log, plan } = await planned(file);
    expect(log.questions.map(({ about, guess, option }) => ({ about, guess, option }))).toEqual([
      { about: 'comments', guess: 'faults', option: '--comments faults' },
    ]);
    expect(rowsOf(plan)).toEqual([{ prompt: 'Which fruit?', completion: 'Carrot.', judgment: 'That is no fruit.', satisfied: false }]);
    const other = await planned(file, { comments: 'judgments' });
    expect(other.log.questions).toEqual([]);
    expect(rowsOf(other.plan).map(({ satisfied }) => satisfied)).toEqual([false, true]);
  });

  it('is asked: which of two columns, and not where the user says it', async () => {
    const file = write(
      'two.jsonl',
      jsonl([
        { prompt: 'What is it?', response: 'A pear it is.', answer: 'A fig it is.', thumb: 'up' },
        { prompt: 'What else?', response: 'A nut it is.', answer: 'A pea it is.', thumb: 'down' },
      ]),
    );
    const { log } = await planned(file);
    expect(log.questions).toMatchObject([
      { about: 'columns.completion', guess: 'response', choices: [{ value: 'response' }, { value: 'answer' }] },
    ]);
    const said = await planned(file, { columns: { completion: 'answer' } });
    expect(said.log.questions).toEqual([]);
    expect(said.log.unused).toEqual(['response']);
    expect(rowsOf(said.plan)[0]).toMatchObject({ completion: 'A fig it is.' });
  });

  it('is refused where there is no guess, with the option that decides', async () => {
    const odd = write('odd.jsonl', jsonl([{ prompt: 'What is it?', response: 'A pear.', vote: 'purple' }]));
    await expect(planned(odd, { columns: { vote: 'vote' } })).rejects.toThrow(/nothing says which of its values are good: purple/);
    expect(rowsOf((await planned(odd, { columns: { vote: 'vote' }, values: { purple: false } })).plan)).toMatchObject([
      { rejected: 'A pear.' },
    ]);
    const sides = write('no-winner.jsonl', jsonl([{ prompt: 'What is it?', output_1: 'A pear.', output_2: 'A fig.' }]));
    await expect(planned(sides)).rejects.toThrow('Nothing says which of output_1 and output_2 is better');
    const prompts = write('prompts.jsonl', jsonl([{ prompt: 'What is it?' }]));
    await expect(planned(prompts)).rejects.toThrow('no column is recognised as the completion');
    const fault = await planned(prompts, { columns: { completion: 'answr' } }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(UserError);
    const wrong: Record<string, string>[] = [{ nothing: 'prompt' }, { prompt: 'prompt', completion: 'prompt' }];
    for (const columns of wrong) await expect(planned(prompts, { columns })).rejects.toThrow(UserError);
  });
});
