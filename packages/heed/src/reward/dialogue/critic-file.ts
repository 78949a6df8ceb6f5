/** The file of a dialogue critic, and the score that it gives. */
import { z } from 'zod';
import { logOdds, scaled } from '../fit/logistic.js';
import { FEATURES, featuresOf } from './features.js';
import { Intents, intentReader } from './intents.js';
import { topicReader } from './topics.js';

const numbers = z.array(z.number());

/** What `fitCritic` makes: logistic regression on scaled features, with the rarity of words, the topics and the intents that they need. */
export const DialogueCritic = z.strictObject({
  kind: z.literal('dialogue-critic'),
  features: z.array(z.enum(FEATURES)),
  mean: numbers, deviation: numbers, weights: numbers, bias: z.number(),
  /** Inverse document frequencies of stems; of one that is not here: `rarest`. */
  rarity: z.record(z.string(), z.number()),
  rarest: z.number(),
  topics: z.strictObject({ words: z.array(z.string()), weights: z.array(numbers) }).optional(),
  intents: Intents.optional(),
}).refine(({ features, mean, deviation, weights }) => [mean, deviation, weights].every((list) => list.length === features.length),
  'mean, deviation and weights need a number for each feature');
export type DialogueCritic = z.infer<typeof DialogueCritic>;

/** The log-odds that a turn belongs after the turns before it. The length of the turn counts as the average one. */
export function criticScorer(critic: DialogueCritic): (turn: string, before: readonly string[]) => number {
  const model = { weights: Float64Array.from(critic.weights), bias: critic.bias };
  const known = new Map(Object.entries(critic.rarity));
  const rarity = { of: (word: string): number => known.get(word) ?? critic.rarest };
  const topics = critic.topics && topicReader(critic.topics);
  const intents = critic.intents && intentReader(critic.intents);
  return (turn, before) => {
    const found = featuresOf(turn, { before, rarity, topics, intents });
    const row = critic.features.map((name, i) => (name === 'length' ? critic.mean[i]! : found[name]));
    return logOdds(model, scaled(critic, row));
  };
}
