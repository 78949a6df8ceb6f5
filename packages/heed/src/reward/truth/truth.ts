import { z } from 'zod';
import { abstentionsIn } from '../../text/abstention.js';
import { clusters } from '../consistency/entropy.js';
import { defineReward } from '../define.js';
import { groupsOf } from '../groups.js';
import { readJsonLines } from '../fit/saved.js';
import type { Finding, Rated, RewardItem } from '../reward.js';
import { inParts } from '../spans.js';
import { findingAt, reasonOf, textReward, textsOf } from '../text-reward.js';
import { wrongCalculations } from './arithmetic.js';
import { takingBackIn } from './challenge.js';
import { Misconception, misconceptionFinder } from './misconceptions.js';
import { statementRelation, statementsOf } from './statements.js';
import { evidenceOf, supportOf, supported } from './support.js';

const weight = (usual: number) => z.number().min(0).default(usual);
const Options = z.strictObject({
  /** The column of the data with texts that a response must keep to. Where a row has none, `support` says nothing of it. */
  evidence: z.string().min(1).default('evidence'),
  /** A file of JSON lines `{ question, correct: […], incorrect: […] }`. Default: none, and `misconceptions` says nothing. */
  misconceptions: z.string().min(1).optional(),
  /** How much each detector counts; 0 leaves one out. */
  weights: z.strictObject({
    support: weight(1), arithmetic: weight(1), selfCheck: weight(0.5), misconceptions: weight(0.5), contradiction: weight(1),
  }).prefault({}),
});
type Weights = z.infer<typeof Options>['weights'];

/** What a detector says of a response: how sure it is that something is wrong, from 0 to 1, and what. */
interface Alarm {
  readonly detector: keyof Weights;
  readonly confidence: number;
  readonly reason: string;
  readonly findings: readonly Finding[];
}

/** The confidence of `support` where all words are known, and a name or a number is not. */
const LEAST = 0.5;

/** What "I don't know" earns where there is no evidence. */
const HONEST = 0.3;

/**
 * `truth`: −Σ weight · confidence over the detectors that object to a response; + 0.3 where it admits not to know and the row has no
 * evidence. Detectors: `support` by the evidence, `arithmetic` done again, `selfCheck` against the prompt's other samples, `misconceptions`
 * of the user's file, `contradiction` of what the response or the speaker's earlier turns say. Draws a line: no detector objects. Parts:
 * the confidence of each. Spans: what a detector takes off, in equal parts at its findings. A response that says nothing that can be
 * checked has the value 0: keep a reward beside it that wants an answer.
 */
export const truth = defineReward({
  name: 'truth',
  options: Options,
  async open(options) {
    const known = options.misconceptions === undefined ? [] : await readJsonLines(options.misconceptions, Misconception);
    const near = misconceptionFinder(known);
    return textReward('truth', { options, known }, true, (items) => {
      const results = new Array<Rated>(items.length);
      for (const group of groupsOf(items)) {
        const cluster = clusters(group.map((i) => items[i]!.response), 'words');
        group.forEach((i, at) => {
          const agreeing = group.length < 3 ? undefined : (cluster.filter((one) => one === cluster[at]).length - 1) / (group.length - 1);
          results[i] = rateTruth(items[i]!, textsOf(items[i]!.row, options.evidence), near, agreeing, options.weights);
        });
      }
      return results;
    });
  },
});

function rateTruth(
  item: RewardItem, evidence: readonly string[] | undefined, near: ReturnType<typeof misconceptionFinder>, agreeing: number | undefined,
  weights: Weights,
): Rated {
  const alarms = [
    bySupport(item, evidence), byArithmetic(item), bySelfCheck(agreeing), byMisconceptions(item, near), byContradiction(item),
  ].filter((one) => one !== undefined && weights[one.detector] > 0) as Alarm[];
  const honest = evidence === undefined && abstentionsIn(item.response).length > 0;
  return {
    value: alarms.reduce((sum, { detector, confidence }) => sum - weights[detector] * confidence, 0) + (honest ? HONEST : 0),
    reason: reasonOf(alarms.map(({ reason }) => reason)),
    parts: { ...Object.fromEntries(alarms.map(({ detector, confidence }) => [detector, confidence])), admits: Number(honest) },
    findings: alarms.flatMap(({ findings }) => findings),
    spans: alarms.flatMap(({ detector, confidence, findings }) => inParts(findings, -weights[detector] * confidence)),
    satisfied: alarms.length === 0,
  };
}

/** A sentence that says something of which less than half is in the evidence, or a name or number that is not. */
function bySupport({ prompt, response }: RewardItem, evidence: readonly string[] | undefined): Alarm | undefined {
  if (evidence === undefined || abstentionsIn(response).length > 0) return undefined;
  // What the question itself names needs no evidence.
  const known = evidenceOf([...evidence, ...prompt.filter(({ role }) => role !== 'assistant').map(({ content }) => content)]);
  const weak = supportOf(response, known).filter(({ share, missing }) => share < 0.5 || missing.length > 0);
  const worst = weak.toSorted((a, b) => a.share - b.share)[0];
  if (worst === undefined) return undefined;
  const spans = weak.flatMap(({ sentence, missing }) => (missing.length > 0 ? missing : [sentence]));
  return {
    detector: 'support', confidence: Math.max(1 - supported(response, known), LEAST),
    findings: spans.map((span) => findingAt('support', span)),
    reason: `The evidence does not say "${(worst.missing[0] ?? worst.sentence).text}".`,
  };
}

function byArithmetic({ response }: RewardItem): Alarm | undefined {
  const wrong = wrongCalculations(response);
  if (wrong[0] === undefined) return undefined;
  const result = wrong[0].right === undefined ? 'which divides by 0' : `but the result is ${Number(wrong[0].right.toPrecision(10))}`;
  return {
    detector: 'arithmetic', confidence: 1, reason: `It says "${wrong[0].text}", ${result}.`,
    findings: wrong.map((span) => findingAt('arithmetic', span)),
  };
}

function bySelfCheck(agreeing: number | undefined): Alarm | undefined {
  if (agreeing === undefined || agreeing >= 0.5) return undefined;
  const share = `${Math.round(100 * agreeing)} %`;
  return { detector: 'selfCheck', confidence: 1 - agreeing, reason: `Only ${share} of the other samples say the same.`, findings: [] };
}

function byMisconceptions({ prompt, response }: RewardItem, near: ReturnType<typeof misconceptionFinder>): Alarm | undefined {
  const question = prompt.findLast(({ role }) => role === 'user')?.content ?? '';
  const found = near(question, response);
  if (found === undefined || found.similarity < 0.6 || found.leaning <= 0) return undefined;
  return {
    detector: 'misconceptions', confidence: Math.min(1, found.leaning), findings: [],
    reason: `It is nearer to the misconception "${found.wrong}" than to what is true.`,
  };
}

function byContradiction({ prompt, response }: RewardItem): Alarm | undefined {
  const said = statementsOf(response);
  // Who says that they were wrong contradicts what they said, and is right to.
  const own = takingBackIn(response) === null ? prompt.filter(({ role }) => role === 'assistant') : [];
  const before = own.flatMap(({ content }) => statementsOf(content));
  for (const [i, statement] of said.entries()) {
    const against = [...before, ...said.slice(0, i)].find((known) => statementRelation(known, statement) === 'contradict');
    if (against === undefined) continue;
    return {
      detector: 'contradiction', confidence: 1, findings: [findingAt('contradiction', statement.span)],
      reason: `It says "${statement.span.text}", and before "${against.span.text}"`,
    };
  }
  return undefined;
}
