import { z } from 'zod';
import { sentencesOf, wholeSentences } from '../../text/sentences.js';
import { contentWords, ngrams, plainWords, stem } from '../../text/words.js';
import { defineReward } from '../define.js';
import type { Rated, RewardItem } from '../reward.js';
import { against, findingAt, ofNothing, reasonOf, textReward } from '../text-reward.js';
import { danglingPronouns } from './entities.js';
import { featuresOf } from './features.js';

const Options = z.strictObject({
  /** Responses with at least this value, from −0.5 to 1, are satisfactory. Default: the reward draws no line. */
  threshold: z.number().optional(),
});

/**
 * `coherence`: whether a response belongs to its dialogue, as the mean of three parts less half of what it repeats.
 * `completeness`: it ends a sentence, and answers where it was asked. `clarity`: its pronouns stand for somebody, and nothing is said
 * twice. `cohesion`: how many words it shares with the last turn, k / (k + 1), and half as much with earlier turns; where the user left the
 * topic, earlier turns count against it. A response that stays on a topic that the user left is not coherent, but stubborn.
 */
export const coherence = defineReward({
  name: 'coherence',
  options: Options,
  open: async (options) => textReward('coherence', options, options.threshold !== undefined, (items) =>
    items.map(({ prompt, response }) => against(options.threshold, rateCoherence(prompt, response)))),
});

const shared = (a: readonly string[], b: ReadonlySet<string>): number => new Set(a.filter((word) => b.has(word))).size;
const grown = (k: number): number => k / (k + 1);

export function rateCoherence(prompt: RewardItem['prompt'], response: string): Rated {
  const nothing = ofNothing(response, 0, { completeness: 0, clarity: 0, cohesion: 0, repeats: 0 });
  if (nothing !== undefined) return nothing;
  const before = prompt.filter(({ role }) => role !== 'system').map(({ content }) => content);
  const features = featuresOf(response, { before });
  const now = contentWords(response).map(stem);
  const focus = new Set(contentWords(before.at(-1) ?? '').map(stem));
  const earlier = new Set(before.slice(0, -1).flatMap((text) => contentWords(text).map(stem)).filter((word) => !focus.has(word)));
  const [near, far] = [grown(shared(now, focus)), grown(shared(now, earlier))];
  const cohesion = Math.max(0, features.switched === 1 ? near - far : Math.min(1, near + far / 2));

  const whole = wholeSentences(response) === response.trim();
  const evades = features.answers === 0 && /\?\s*$/.test(before.at(-1) ?? '') && features.repeats > 0.5;
  const completeness = (Number(whole) + Number(!evades)) / 2;

  const dangling = danglingPronouns(response, before);
  const runs = [...ngrams(plainWords(response), 3)];
  const twice = runs.length === 0 ? 0 : 1 - new Set(runs).size / runs.length;
  const clarity = Math.max(0, 1 - dangling.length / 2 - twice);

  const words: string[] = [];
  const first = sentencesOf(response)[0];
  const astray = cohesion === 0 && first !== undefined;
  const strays = features.switched === 1 ? 'does not follow the user to the new topic' : 'takes up nothing of the dialogue';
  if (astray) words.push(`It says "${first.text}", which ${strays}.`);
  if (dangling[0] !== undefined) words.push(`It says "${dangling[0].text}", and nobody was named before.`);
  if (features.repeats > 0.5) words.push('It repeats what was said before.');
  if (twice > 0.3) words.push('It says the same twice.');
  if (!whole) words.push('Its last sentence does not end.');
  return {
    value: (completeness + clarity + cohesion) / 3 - 0.5 * features.repeats,
    reason: reasonOf(words),
    parts: { completeness, clarity, cohesion, repeats: features.repeats },
    findings: [...(astray ? [findingAt('coherence', first)] : []), ...dangling.map((span) => findingAt('coherence', span))],
  };
}
