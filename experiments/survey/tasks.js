// @ts-check
// Each task: labelled rows of a research set, what a detector says of each, and groups of rows that must not be divided (a prompt's).
import {
  abstentionsIn, evidenceOf, fitCritic, misconceptionFinder, needsOf, ratePersona, rateSincerity, supportOf, supported, wrongCalculations,
} from '@heed/heed';

/**
 * @typedef {{ text: string, yes: boolean, group: string, score?: number }} Row What a classifier of words reads, whether it is what the
 *   detector looks for, and the detector's score.
 * @typedef {{ name: string, file: string, rows: (data: any[]) => Row[], note: string }} Task
 */

/** How many of a text's content words the evidence lacks, as a share. */
const unsupported = (text, evidence) => 1 - supported(text, evidenceOf(evidence));
const user = (content) => [{ role: /** @type {const} */ ('user'), content }];

/** Slots that a request of an intent nearly always has, and how to take one out of a row. */
const SLOTS = { AddToPlaylist: 'playlist', RateBook: 'rating_value', GetWeather: 'timeRange', BookRestaurant: 'restaurant_type' };
const without = (text, slot) => text.replace(slot, '').replaceAll(/\s+/g, ' ').trim();

/** @type {Task[]} */
export const tasks = [
  {
    name: 'support', file: 'faithdial_audit.jsonl', note: 'responses marked as hallucination or partly so, against entailment',
    rows: (data) => data.filter(({ begin }) => /hallucination|entailment/i.test(begin)).map(({ begin, evidence, response }, i) => ({
      text: response, yes: /hallucination/i.test(begin), group: String(i), score: unsupported(response, [evidence]),
    })),
  },
  {
    name: 'support', file: 'qa_feedback.jsonl', note: 'sentences with a span marked Wrong-Grounding or Unverifiable',
    rows: (data) => data.flatMap(({ id, question, passages, predictions, feedback }) => {
      const bad = feedback.errors.filter((one) => /Wrong-Grounding|Unverifiable/i.test(one['error type']));
      return supportOf(predictions[0], evidenceOf([...passages, question])).map(({ sentence, share }) => ({
        text: sentence.text, group: String(id), score: 1 - share,
        yes: bad.some(({ start, end }) => start < sentence.end && end > sentence.start),
      }));
    }),
  },
  {
    name: 'arithmetic', file: 'gsm8k.jsonl', note: 'solutions of which one calculation is made wrong, against the solutions',
    rows: (data) => data.flatMap(({ answer, question }) => {
      const plain = answer.replaceAll(/<<[^>]*>>/g, '');
      const spoilt = answer.replace(/=(\d+)>>\1/, (_, n) => `=${Number(n) + 3}>>${Number(n) + 3}`).replaceAll(/<<[^>]*>>/g, '');
      return spoilt === plain ? [] : [[plain, false], [spoilt, true]].map(([text, yes]) => ({
        text, yes, group: question, score: wrongCalculations(text).length,
      }));
    }),
  },
  {
    name: 'words alone', file: 'truthfulqa_judge.jsonl', note: 'answers that people found untruthful',
    rows: (data) => data.filter(({ answer }) => answer !== '').map(({ question, answer, truthful }) => ({
      text: answer, yes: !truthful, group: question,
    })),
  },
  {
    name: 'words alone', file: 'surge_toxicity.jsonl', note: 'toxic comments',
    rows: (data) => data.map(({ text, is_toxic }) => ({ text, yes: is_toxic, group: text })),
  },
  {
    name: 'words alone', file: 'davidson_tweets.jsonl', note: 'tweets marked hateful or offensive',
    rows: (data) => data.map(({ text, label }) => ({ text, yes: label !== 'neither', group: text })),
  },
  {
    name: 'abstention', file: 'xstest_completions.jsonl',
    note: 'full refusals against full compliance: how far "I don’t know" is from "I won’t"',
    rows: (data) => data.filter(({ final_label }) => !/partial/.test(final_label)).map(({ id, completion, final_label }) => ({
      text: completion, yes: /full_refusal/.test(final_label), group: id, score: abstentionsIn(completion).length,
    })),
  },
  {
    name: 'words alone', file: 'halueval_general.jsonl', note: 'answers with a hallucination by people',
    rows: (data) => data.map(({ id, response, hallucination }) => ({ text: response, yes: hallucination, group: id })),
  },
  {
    name: 'clarify', file: 'snips_intents.jsonl',
    note: 'requests without a slot that their intent nearly always has, against the whole requests',
    rows: (data) => data.flatMap(({ text, intent, slots }, i) => {
      const slot = slots.find(({ entity }) => entity === SLOTS[intent]);
      if (slot === undefined) return [];
      return [[text, false], [without(text, slot.text), true]].map(([asked, yes]) => ({
        text: asked, yes, group: String(i), score: needsOf(user(asked)).length,
      }));
    }),
  },
  {
    name: 'clarify', file: 'clinc150.jsonl', note: 'requests outside of all intents: a rule about missing things cannot see them',
    rows: (data) => data.map(({ text, intent }) => ({ text, yes: intent === 'oos', group: text, score: needsOf(user(text)).length })),
  },
  {
    name: 'sincerity', file: 'truthfulqa_judge.jsonl', note: 'untruthful answers, by −value of `sincerity`, which decides few prompts',
    rows: (data) => data.filter(({ answer }) => answer !== '').map(({ question, answer, truthful }) => ({
      text: answer, yes: !truthful, group: question, score: -rateSincerity(user(question), answer).value,
    })),
  },
  {
    name: 'persona', file: 'synthetic_persona_chat.jsonl', note: 'a speaker’s turns against their persona with each fact denied',
    rows: (data) => data.flatMap(({ id, persona_1, turns }) => turns
      .filter((turn) => turn.startsWith('User 1:') && /\bI\b/.test(turn))
      .flatMap((turn, i) => [false, true].map((yes) => {
        const text = turn.slice('User 1: '.length);
        const facts = yes ? persona_1.map(denied) : persona_1;
        return { text, yes, group: `${id} ${i}`, score: ratePersona(facts, [], text).parts?.['contradictions'] ?? 0 };
      }))),
  },
];

/** A fact with a denial put in or taken out. */
function denied(fact) {
  if (/\b(?:not|never|don't|can't|no)\b/i.test(fact)) return fact.replace(/\b(?:do not|don't|never) /i, '').replace(/\bcan't\b/i, 'can');
  return fact.replace(/\bI am\b/i, 'I am not').replace(/\bI have (?:an?|\w+) /i, 'I have no ')
    .replace(/\bI (love|like|enjoy|hate|play|work|eat|drink|own|live|want|go)\b/i, 'I do not $1')
    .replace(/\bMy favorite (\w+) is\b/i, 'My favorite $1 is not');
}

/** The nearest known misconception, on answers to questions of the list that are not themselves in it. */
export function misconceptions(list, judged) {
  const known = list.map(({ question, correct_answers: correct, incorrect_answers: incorrect }) => ({ question, correct, incorrect }));
  const find = misconceptionFinder(known);
  const plain = (text) => text.toLowerCase().replaceAll(/[^a-z0-9 ]/g, '').trim();
  const listed = new Set(list.flatMap(({ correct_answers, incorrect_answers, best_answer }) =>
    [...correct_answers, ...incorrect_answers, best_answer].map(plain)));
  return judged
    .filter(({ answer }) => answer !== '' && !listed.has(plain(answer)))
    .map(({ question, answer, truthful }) => ({ question, near: find(question, answer), text: answer, yes: !truthful }))
    .filter(({ near }) => near !== undefined && near.similarity > 0.9)
    .map(({ question, near, text, yes }) => ({ text, yes, group: question, score: near?.leaning ?? 0 }));
}

/** The critic's report. */
export const critic = (data, settings) =>
  fitCritic(data.map(({ turns }) => turns.map((turn) => turn.replace(/^User \d: /, ''))), settings).report;
