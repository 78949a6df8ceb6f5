/** How sure a claim is when it is made: before anybody has said anything of it. */
import { z } from 'zod';
import { UserError } from '../../errors.js';
import { failed } from '../../judge/respondent.js';
import type { Message } from '../../text/template.js';
import { asProbability, readStated } from '../calibration/stated.js';
import type { RewardTools } from '../define.js';
import { readSaved } from '../fit/saved.js';
import { LogprobClassifier } from '../logprob/classifier.js';
import { openLogprobClassifier } from '../logprob/open.js';
import type { Said } from '../logprob/reader.js';
import { StatedConfidence, calibrated } from './stated-confidence.js';
import { type Statement, statementsOf } from './statements.js';

/** A claim whose speaker does not say how sure they are. */
export const USUAL = 0.7;

/** The confidence of a claim of a turn, by the turn's place in the dialogue. */
export type Start = (turn: number, content: string, statement: Statement) => number;

/** Where claims begin. */
export interface Starts {
  /** What changes the numbers, for the name of the reward. */
  readonly changes: unknown;
  /** For each dialogue. */
  of(dialogues: readonly (readonly Message[])[]): Promise<readonly Start[]>;
  close(): Promise<void>;
}

/** Claims begin at what their turn says of its confidence, as it is or calibrated; without a word of it at 0.7. */
export const byStatement = (calibration?: StatedConfidence): Start => (_turn, content) => {
  const q = asProbability(readStated(content));
  if (q === undefined) return USUAL;
  return calibration === undefined ? q : calibrated(calibration, q);
};

const Saved = z.discriminatedUnion('kind', [StatedConfidence, LogprobClassifier]);
const MADE = 'Save what fitStatedConfidence returns as `confidence`, or fitLogprobClassifier as `classifier`, as JSON.';
const TRUE = 'true';

/**
 * @param file Of `fitStatedConfidence` or `fitLogprobClassifier`. Default: stated confidences are taken as they are.
 * @throws UserError where the file is none of these, or its classifier knows no label "true"
 */
export async function openStarts(file: string | undefined, model: string | undefined, tools: RewardTools): Promise<Starts> {
  const stated = (calibration?: StatedConfidence): Starts => ({
    changes: calibration,
    of: async (dialogues) => dialogues.map(() => byStatement(calibration)),
    close: async () => { /* Nothing is held. */ },
  });
  if (file === undefined) return stated();
  const saved = await readSaved(file, Saved, MADE);
  if (saved.kind === 'stated-confidence') return stated(saved);
  if (!saved.labels.includes(TRUE)) {
    const known = saved.labels.join(' and ');
    throw new UserError(`The classifier in ${file} knows the labels ${known}; claims begin at the probability of "true".`, [
      'Train it on rows with the labels "true" and "false".',
    ]);
  }
  const classifier = await openLogprobClassifier(saved, file, model, tools);
  return {
    changes: saved,
    async of(dialogues) {
      const claims = dialogues.flatMap((dialogue, d) => claimsOf(dialogue).map((claim) => ({ d, ...claim })));
      const found = await classifier.probabilities(claims);
      const starts = dialogues.map(() => new Map<string, number>());
      claims.forEach(({ d, turn, response }, i) => {
        const one = found[i]!;
        // A claim that does not fit the model begins where one without a word of confidence does.
        if (!failed(one)) starts[d]!.set(`${turn} ${response}`, one[TRUE]!);
      });
      return starts.map((known): Start => (turn, _content, { span }) => known.get(`${turn} ${span.text}`) ?? USUAL);
    },
    close: () => classifier.close(),
  };
}

/** The claims of a dialogue as texts in their places. */
const claimsOf = (dialogue: readonly Message[]): (Said & { readonly turn: number })[] => dialogue.flatMap(({ role, content }, turn) =>
  (role === 'assistant' ? statementsOf(content).map(({ span }) => ({ turn, prompt: dialogue.slice(0, turn), response: span.text })) : []));
