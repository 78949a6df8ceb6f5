/** Numbers that tell whether a turn belongs where it stands. They need no model. */
import { type Rarity, EVEN, cosine, tfIdf } from '../../text/idf.js';
import { sentencesOf } from '../../text/sentences.js';
import { contentWords, ngrams, plainWords, shareFound, stem } from '../../text/words.js';
import { danglingPronouns, entityContinuity } from './entities.js';
import type { IntentReader } from './intents.js';
import { type TopicReader, topicContinuity } from './topics.js';

/** A dialogue up to a turn: what was said, the last one by the other speaker. */
export interface Setting {
  /** Earlier turns, oldest first. The speakers take turns, so that every second one from the end is the other's. */
  readonly before: readonly string[];
  readonly rarity?: Rarity;
  readonly topics?: TopicReader;
  readonly intents?: IntentReader;
}

export const FEATURES = [
  'last', 'earlier', 'own', 'entities', 'topic', 'dangling', 'answers', 'asks', 'repeats', 'stale', 'switched', 'length', 'intent',
] as const;
export type Features = Readonly<Record<(typeof FEATURES)[number], number>>;

const stemsOf = (text: string): string[] => contentWords(text).map(stem);

/** Words with which a speaker leaves a topic. */
const SWITCHES = new RegExp("\\b(?:another (?:thing|question|note)|by the way|chang(?:e|ing) the (?:subject|topic)"
  + "|different (?:question|topic)|next topic|something (?:else|different)|unrelated|one more thing"
  + "|(?:let's|let us|let me|now) (?:talk|turn|ask|to|help)|also,|and could you)", 'i');
const QUESTION = /\?["'”’)]*\s*$/;

/** Whether the last turn leaves the topic of the turns before: by its words, or because it shares nothing with them. */
export function leavesTopic(last: string, earlier: readonly string[]): boolean {
  if (earlier.length === 0) return false;
  if (SWITCHES.test(last)) return true;
  const now = stemsOf(last);
  return now.length >= 3 && shareFound(now, earlier.flatMap(stemsOf)) === 0;
}

/** What the last turn is about: after a change of topic, the sentences from the change on. */
function focusOf(last: string): string {
  const sentences = sentencesOf(last);
  const at = sentences.findIndex(({ text }) => SWITCHES.test(text));
  return at < 0 ? last : sentences.slice(at).map(({ text }) => text).join(' ');
}

/**
 * The features of a turn: `last`, `earlier` and `own`, its tf-idf cosine with the last turn, with those before it and with the speaker's
 * own; `entities`, |E_t ∩ E_<t| / |E_t|; `topic`, 1 − JS / ln 2 to the last turn; `dangling` pronouns; `answers` and `asks`, whether a
 * question is followed by a statement, and a statement by a question; `repeats`, the share of its runs of three words that were said
 * before; `switched`, whether the other speaker left the topic; `stale`, what it then shares with the topic that was left; `length`, the
 * logarithm of its words; `intent`, by how much the last turn's intent makes its own likelier.
 */
export function featuresOf(turn: string, { before, rarity = EVEN, topics, intents }: Setting): Features {
  const last = before.at(-1) ?? '';
  const earlier = before.slice(0, -1);
  const switched = leavesTopic(last, earlier);
  const focus = switched ? focusOf(last) : last;
  const vector = (text: string): Map<string, number> => tfIdf(stemsOf(text), rarity);
  const now = vector(turn);
  const said = new Set(before.flatMap((text) => [...ngrams(plainWords(text), 3)]));
  const runs = [...ngrams(plainWords(turn), 3)];
  const onLast = cosine(now, vector(focus));
  const onEarlier = cosine(now, vector(earlier.join('\n')));
  const asked = QUESTION.test(last);
  return {
    last: onLast,
    earlier: switched ? 0 : onEarlier,
    own: switched ? 0 : cosine(now, vector(earlier.filter((_, i) => (earlier.length - i) % 2 === 1).join('\n'))),
    entities: switched ? entityContinuity(turn, [focus]) : entityContinuity(turn, before),
    topic: topics === undefined ? 0 : topicContinuity(topics(turn), topics(focus)),
    dangling: danglingPronouns(turn, before).length,
    answers: Number(asked && !QUESTION.test(turn)),
    asks: Number(!asked && QUESTION.test(turn)),
    repeats: runs.length === 0 ? 0 : shareFound(runs, said),
    stale: switched ? onEarlier : 0,
    switched: Number(switched),
    length: Math.log1p(plainWords(turn).length),
    intent: intents === undefined ? 0 : intents.continuity(intents.of(focus), intents.of(turn)),
  };
}
