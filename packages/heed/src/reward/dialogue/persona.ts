import { z } from 'zod';
import { at } from '../../data/source.js';
import { type Failure, failed } from '../../judge/respondent.js';
import { sentencesOf } from '../../text/sentences.js';
import { contentWords, ngrams, plainWords, shareFound, stem } from '../../text/words.js';
import { defineReward } from '../define.js';
import type { Finding, Rated, RewardItem } from '../reward.js';
import { inParts } from '../spans.js';
import { findingAt, lacking, ofNothing, reasonOf, textReward, textsOf } from '../text-reward.js';
import { type Fact, asFirstPerson, factsOf } from './facts.js';
import { forbiddenFood, relationOf } from './relation.js';

const Options = z.strictObject({
  /** The column of the data with what the speaker is: a text or a list of sentences ("I have two dogs."). Default: the system message. */
  persona: z.string().min(1).optional(),
});

/**
 * `persona`: whether a response keeps to what its speaker is and said. Value: 1 without a contradiction, else 0; + 0.2 where it says a
 * known fact; − 0.5 where it recites one that was not asked about, with more than half of the fact's runs of three words. Known are the
 * persona and the speaker's own earlier turns; where there are neither, it does not apply. A response without a word is worth 0. Draws a
 * line: no contradiction and no recital. Facts are compared by patterns, in English ("I have", "I am", "my favourite").
 */
export const persona = defineReward({
  name: 'persona',
  options: Options,
  describe: ({ persona: column }) => `persona of ${column === undefined ? 'the system message' : `"${column}"`}`,
  open: async (options) => textReward('persona', options, true, (items) => items.map((item) => {
    const given = personaOf(item, options.persona);
    return failed(given) ? given : ratePersona(given, item.prompt, item.response);
  })),
});

function personaOf({ prompt, row }: RewardItem, column: string | undefined): readonly string[] | Failure {
  if (column !== undefined) return textsOf(row, column) ?? lacking(row, column, 'persona');
  if (prompt.some(({ role }) => role === 'system' || role === 'assistant'))
    return prompt.filter(({ role }) => role === 'system').map(({ content }) => asFirstPerson(content));
  const where = row === undefined ? 'the prompt' : at(row.source);
  return {
    failure: 'not-applicable',
    detail: `${where} has no system message, which would say who speaks, and no earlier turn of the speaker; `
      + 'name a column with the persona: { persona: { persona: COLUMN } }',
  };
}

/** One response, held against a persona and the speaker's own turns before. */
export function ratePersona(persona: readonly string[], prompt: RewardItem['prompt'], response: string): Rated {
  const nothing = ofNothing(response, 0, { contradictions: 0, entails: 0, recites: 0 });
  if (nothing !== undefined) return { ...nothing, satisfied: false };
  const own = prompt.filter(({ role }) => role === 'assistant').map(({ content }) => content);
  const known = [...persona, ...own].flatMap(factsOf);
  const { findings, sentences } = contradictionsWith(known, response);
  const entailed = factsOf(response).some((said) => known.some((one) => relationOf(one, said) === 'entail'));
  const asked = new Set(contentWords(prompt.findLast(({ role }) => role === 'user')?.content ?? '').map(stem));
  const recited = persona.flatMap((text) => sentencesOf(text))
    .find(({ text }) => copied(text, response) && !contentWords(text).some((word) => asked.has(stem(word))));
  if (recited !== undefined) sentences.push(`It recites "${recited.text}"`);
  const parts = { contradictions: findings.length, entails: Number(entailed), recites: Number(recited !== undefined) };
  const value = Number(findings.length === 0) + 0.2 * parts.entails - 0.5 * parts.recites;
  return { value, reason: reasonOf(sentences), parts, findings, spans: inParts(findings, -1), satisfied: sentences.length === 0 };
}

/** Where a text contradicts known facts of its speaker, with a sentence for each place. */
export function contradictionsWith(known: readonly Fact[], response: string): { findings: Finding[]; sentences: string[] } {
  const found = new Map<number, { finding: Finding; sentence: string }>();
  const add = (fact: Fact, at: { text: string; start: number; end: number }): void => {
    if (found.has(at.start)) return;
    found.set(at.start, { finding: findingAt('persona', at), sentence: `It says "${at.text}", but "${fact.span.text}" was said before.` });
  };
  for (const said of factsOf(response)) {
    const against = known.find((fact) => relationOf(fact, said) === 'contradict');
    if (against !== undefined) add(against, said.span);
  }
  for (const sentence of sentencesOf(response)) {
    const against = known.find((fact) => forbiddenFood(fact, sentence.text) !== undefined);
    if (against !== undefined) add(against, sentence);
  }
  const all = [...found.values()].sort((a, b) => a.finding.start - b.finding.start);
  return { findings: all.map(({ finding }) => finding), sentences: all.map(({ sentence }) => sentence) };
}

/** Whether more than half of the runs of three words of a fact stand in a response. */
function copied(fact: string, response: string): boolean {
  const runs = [...ngrams(plainWords(fact), 3)];
  // A fact of four words is hardly said in others.
  return runs.length > 2 && shareFound(runs, ngrams(plainWords(response), 3)) > 0.5;
}
