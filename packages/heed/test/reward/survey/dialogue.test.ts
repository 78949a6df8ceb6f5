import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { continuationsOf } from '../../../src/reward/dialogue/continuations.js';
import { danglingPronouns, entityContinuity, transitions } from '../../../src/reward/dialogue/entities.js';
import { factsOf } from '../../../src/reward/dialogue/facts.js';
import { leavesTopic } from '../../../src/reward/dialogue/features.js';
import { fitCritic } from '../../../src/reward/dialogue/fit-critic.js';
import { fitIntents, intentReader } from '../../../src/reward/dialogue/intents.js';
import { relationOf } from '../../../src/reward/dialogue/relation.js';
import { fitTopics, jensenShannon, topicContinuity, topicReader } from '../../../src/reward/dialogue/topics.js';
import { fitTextClassifier } from '../../../src/reward/fit/text-classifier.js';
import { scratchFolder } from '../../support/scratch.js';
import { item, rate, rated } from './rate.js';

const { write } = scratchFolder();

describe('facts of a speaker', () => {
  it.each([
    ['I have two dogs.', 'I have no dogs', 'contradict'], ['I have two dogs.', 'I have 2 dogs at home', 'entail'],
    ['I have two dogs.', 'I have one parrot', 'contradict'], ['I have two dogs.', 'I have a car', 'neutral'],
    ['I am a baker.', 'I work as a teacher', 'contradict'], ['I am a baker.', 'I am a big fan of bread', 'neutral'],
    ['I live in Bergen.', 'I live in Oslo now', 'contradict'], ['I am 34 years old.', "I'm 34", 'entail'],
    ['I do not like football.', 'I love football', 'contradict'], ['I love the sea.', 'I enjoy the sea a lot', 'entail'],
    ['I am married.', 'I am single', 'contradict'], ['My favourite color is green.', 'My favorite color is red', 'contradict'],
    ["I can't swim.", 'I can swim well', 'contradict'], ['I have never been to Spain.', 'I have been to Spain twice', 'contradict'],
    ['I have no children.', 'I have a child', 'contradict'],
    ['I have a cat named Momo.', 'My cat is called Felix', 'contradict'], ['I grew up on a farm.', 'I grew up in a city', 'contradict'],
  ] as const)('%s / %s: %s', (known, said, relation) => {
    const found = factsOf(known).flatMap((a) => factsOf(said).map((b) => relationOf(a, b))).filter((one) => one !== 'neutral');
    expect([...new Set(found)]).toEqual(relation === 'neutral' ? [] : [relation]);
  });

  it('are not those of a question or of others', () => {
    expect(factsOf('Do I have two dogs? He has a cat.')).toEqual([]);
  });
});

describe('persona', () => {
  it('pays for keeping to it: 1, .2 more for saying a fact, .5 less for reciting one', async () => {
    const facts = { persona: ['I am a vegetarian.', 'I work in a small library near the old harbour.', 'I have two dogs.'] };
    const results = await rated({ persona: { persona: 'persona' } }, [
      item('Any pets?', 'Yes, I have two dogs.', facts), item('Any pets?', 'No, I have no dogs.', facts), item('Any pets?',
      'Guess!', facts),
      item('Hungry?', 'I work in a small library near the old harbour.', facts), item('Hungry?', 'A steak, please.', facts),
    ]);
    expect(results.map(({ value }) => value)).toEqual([1.2, 0, 1, 0.7, 0]);
    expect(results[1]).toMatchObject({
      satisfied: false, reason: 'It says "I have no dogs", but "I have two dogs" was said before.',
      findings: [{ rule: 'persona', quote: 'I have no dogs', start: 4, end: 18 }],
    });
    expect(results[3]!.reason).toBe('It recites "I work in a small library near the old harbour."');
  });

  it('is that of the system message, and what the speaker said before', async () => {
    const chat = [
      { role: 'system' as const, content: 'You are a baker.' }, { role: 'user' as const, content: 'Where do you live?' },
      { role: 'assistant' as const, content: 'I live in Porto.' }, { role: 'user' as const, content: 'Really?' },
    ];
    const results = await rated({ persona: {} }, [item(chat, 'I live in Oslo.'), item(chat, 'I am a teacher.'),
      item(chat, 'I live in Porto.')]);
    expect(results.map(({ value }) => value)).toEqual([0, 0, 1.2]);
    expect(await rate({ persona: { persona: 'p' } }, [item('Hi', 'Hi')])).toEqual([
      { failure: 'not-applicable', detail: 'prompts.jsonl:1 has no persona in a column "p"' },
    ]);
    // Nobody's persona is kept to by every answer: no reward, and not the same one for all.
    expect(await rate({ persona: {} }, [item('Hi', 'Hi')])).toEqual([
      { failure: 'not-applicable', detail: expect.stringMatching(/^prompts\.jsonl:1 has no system message, .*persona: COLUMN/) as string },
    ]);
  });
});

describe('entities and topics', () => {
  it('the entity grid’s transitions', () => {
    const found = transitions([[true, true, false], [false, true, true], [true, false, false]]);
    expect(found['++']).toBeCloseTo(1 / 3, 12);
    expect(found['+-']).toBeCloseTo(1 / 3, 12);
    expect(found['-+']).toBeCloseTo(1 / 6, 12);
    expect(found['--']).toBeCloseTo(1 / 6, 12);
  });

  it('continuity is the share of entities that were there before', () => {
    expect(entityContinuity('Anna fed 3 goats.', ['Where is Anna?', 'With the goat.'])).toBe(0.5); // of anna, 3, fed, goat: anna, goat
    expect(danglingPronouns('She likes it.', ['What is new?']).map(({ text }) => text)).toEqual(['She']);
    expect(danglingPronouns('She likes it.', ['How is my sister?'])).toEqual([]);
  });

  it('Jensen-Shannon divergence, and continuity from it', () => {
    expect([jensenShannon([1, 0], [0, 1]), topicContinuity([0.2, 0.8], [0.2, 0.8])]).toEqual([Math.LN2, 1]);
    // ½ KL(p‖m) + ½ KL(q‖m) with m = (.5, .3, .2), worked out by hand
    const js = 0.5 * (0.7 * Math.log(0.7 / 0.5) + 0.2 * Math.log(0.2 / 0.3) + 0.1 * Math.log(0.1 / 0.2))
      + 0.5 * (0.3 * Math.log(0.3 / 0.5) + 0.4 * Math.log(0.4 / 0.3) + 0.3 * Math.log(0.3 / 0.2));
    expect(jensenShannon([0.7, 0.2, 0.1], [0.3, 0.4, 0.3])).toBeCloseTo(js, 12);
    expect(1 - 0.253101615443 / Math.LN2).toBeCloseTo(0.63485155456, 10);
  });

  it('finds the two topics of texts that have two', () => {
    const texts = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'bread oven flour baker' : 'train station ticket platform'));
    const read = topicReader(fitTopics(texts, { k: 2, minimum: 2 }));
    expect(topicContinuity(read('bread and flour'), read('an oven'))).toBeGreaterThan(0.95);
    expect(topicContinuity(read('bread and flour'), read('a train'))).toBeLessThan(0.05);
  });

  it('the user leaves a topic by saying so, or by sharing no word with it', () => {
    const earlier = ['How do I bake bread?', 'Mix flour and water.'];
    expect(leavesTopic('By the way, how is the bread doing?', earlier)).toBe(true);
    expect(leavesTopic('Which museum in Vienna has dinosaurs?', earlier)).toBe(true);
    expect(leavesTopic('How much flour for two loaves of bread?', earlier)).toBe(false);
  });
});

describe('coherence', () => {
  const chat = (...turns: string[]) => turns.map((content, i) => ({ role: i % 2 === 0 ? 'user' as const : 'assistant' as const, content }));
  const bread = chat('How do I bake bread?', 'Mix flour and water, and wait.', 'How long should the bread stay in the oven?');

  it('prefers an answer that takes up the dialogue, whole and said once', async () => {
    const results = await rated({ coherence: { threshold: 0.6 } }, [
      item(bread, 'The bread stays in the oven for forty minutes.'), item(bread, 'The train leaves from platform four.'),
      item(bread, 'The bread stays in the oven for'), item(bread, 'How long should the bread stay in the oven?'),
    ]);
    const [good, astray, cut, echo] = results.map(({ value }) => value) as [number, number, number, number];
    // Whole, answered, clear: 1 and 1; the stems bread, stay and oven are shared: 3 / 4. Of its 7 runs of three words the question has one.
    expect(good).toBeCloseTo((1 + 1 + 3 / 4) / 3 - 0.5 / 7, 12);
    expect(astray).toBeCloseTo(2 / 3, 12);
    expect(cut).toBeLessThan(good);
    expect(echo).toBeLessThan(0.5);
    expect(results[1]).toMatchObject({
      reason: 'It says "The train leaves from platform four.", which takes up nothing of the dialogue.',
      findings: [{ rule: 'coherence', start: 0, end: 36 }],
    });
  });

  it('follows a user who changes the topic', async () => {
    const changed = chat('How do I bake bread?', 'Mix flour and water.', 'Thanks. Something else: can you explain the offside rule?');
    const [follows, stays] = await rated({ coherence: {} }, [
      item(changed, 'The offside rule says where a player may be.'), item(changed, 'For bread you mix flour and water.'),
    ]);
    expect(follows!.value).toBeGreaterThan(stays!.value);
    expect(stays!.reason).toContain('does not follow the user to the new topic');
  });
});

describe('the dialogue critic', () => {
  // Ten subjects with words of their own; each dialogue keeps to one.
  const subjects = ('bread oven|train ticket|garden rose|cello string|river boat|chess knight|candle wax|lentil soup|goat cheese'
    + '|violin bow').split('|');
  const dialogues = subjects.flatMap((subject) => {
    const [a, b] = subject.split(' ');
    return [1, 2].map((n) => [
      `Tell me of the ${a}.`, `The ${a} is old.`, `Is the ${b} old too?`, `No, the ${b} of the ${a} is new.`, `Who made the ${b}?`,
      `A friend made the ${b} in spring ${n}.`, `Where is the ${a} now?`, `The ${a} is at home.`,
    ]);
  });

  it('learns which turns belong, and beats the words of the turn alone', async () => {
    const { critic, report } = fitCritic(dialogues, { topics: 0 });
    expect(report.auc.critic).toBeGreaterThan(0.85);
    expect(report.auc.bagOfWords).toBeLessThan(0.7);
    expect(report.pairs.foreign).toBeGreaterThan(0.7); // a foreign turn may come from the other dialogue on the same subject
    const file = write('critic.json', JSON.stringify(critic));
    const chat = dialogues[0]!.slice(0, 3).map((content, i) => ({ role: i % 2 === 0 ? 'user' as const : 'assistant' as const, content }));
    const [own, foreign] = await rated({ critic: { file } }, [item(chat, 'No, the oven is new.'), item(chat, 'No, the boat is new.')]);
    expect(own!.value).toBeGreaterThan(foreign!.value);
    expect(own!.satisfied).toBe(true);
    expect(foreign!.reason).toMatch(/probability of 0\.\d\d to belong/);
  });

  it('learns which intent follows which', () => {
    // Of each dialogue a question follows a statement, and a statement a question; who asks is told by one word.
    const acts = fitTextClassifier(['asks', 'tells'].flatMap((label) => ['why', 'how', 'where', 'when'].map((word) => (
      { text: label === 'asks' ? `${word} now` : `because ${word}`, label }
    ))), { l2: 0.01 });
    const intents = fitIntents(acts, [['why now', 'because why', 'how now', 'because how']]);
    const read = intentReader(intents);
    const [asks, tells] = [read.of('where now'), read.of('because where')];
    expect(asks[0]).toBeGreaterThan(0.8);
    expect(tells[1]).toBeGreaterThan(0.8);
    // By brute force: soft counts of three steps and one more of each kind.
    const p = ['why now', 'because why', 'how now', 'because how'].map((turn) => read.of(turn));
    const count = (i: number, j: number): number => 1 + [0, 1, 2].reduce((sum, t) => sum + p[t]![i]! * p[t + 1]![j]!, 0);
    const total = count(0, 0) + count(0, 1) + count(1, 0) + count(1, 1);
    const following = [0, 1].flatMap((i) => [0, 1].map((j) => asks[i]! * tells[j]! * (count(i, j) / (count(i, 0) + count(i, 1)))));
    const alone = [0, 1].map((j) => tells[j]! * ((count(0, j) + count(1, j)) / total));
    const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
    expect(read.continuity(asks, tells)).toBeCloseTo(Math.log(sum(following) / sum(alone)), 4);
    expect(read.continuity(asks, tells)).toBeGreaterThan(0);
    expect(read.continuity(asks, asks)).toBeLessThan(0);
  });

  it('tells by intents what nothing else tells, and keeps them in its file', async () => {
    // Every turn is about something else, so that words do not connect turns: only that an answer follows a question does.
    const letters = 'bcdfghklmnprstvz';
    const things = Array.from({ length: 160 }, (_, i) => `${letters[i % 16]}o${letters[i % 10]}i${letters[i % 12]}a`);
    const made = Array.from({ length: 20 }, (_, d) => Array.from({ length: 8 }, (__, t) => (
      (d + t) % 2 === 0 ? `what ${things[8 * d + t]}` : `the ${things[8 * d + t]}`
    )));
    const acts = fitTextClassifier(made.flat().map((text) => ({ text, label: text.startsWith('what') ? 'asks' : 'tells' })));
    const without = fitCritic(made, { topics: 0 }).report.auc.critic;
    const { critic, report } = fitCritic(made, { topics: 0, intents: acts });
    expect(report.auc.critic).toBeGreaterThan(without + 0.1);
    const file = write('intents.json', JSON.stringify(critic));
    const [fits, breaks] = await rated({ critic: { file } }, ['the bola', 'what bola'].map((said) => (
      item(['the bela', 'what bila', 'what bula'].map((content, i) => ({ role: i === 1 ? 'assistant' : 'user', content })), said)
    )));
    expect(fits!.value).toBeGreaterThan(breaks!.value);
  });

  it('takes false continuations from another dialogue and from elsewhere in the same one', () => {
    const rows = continuationsOf(dialogues);
    expect(rows.filter(({ real }) => real)).toHaveLength(rows.length / 2);
    for (const { made, turn, dialogue, before } of rows) {
      if (made === 'shuffled') expect(dialogues[dialogue]).toContain(turn);
      if (made !== undefined) expect(dialogues[dialogue]!.indexOf(turn)).not.toBe(before.length);
    }
  });

  it('says what is wrong with a file', async () => {
    const file = write('wrong.json', '{"kind": "dialogue-critic"}');
    await expect(rate({ critic: { file } }, [])).rejects.toThrow(/wrong\.json: "features"/);
    await expect(rate({ critic: { file: `${file}.not` } }, [])).rejects.toThrow(/cannot be read/);
    expect(readFileSync(file, 'utf8')).toContain('critic');
  });
});
