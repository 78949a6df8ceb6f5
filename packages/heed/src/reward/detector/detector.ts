import { z } from 'zod';
import { UserError, nearest } from '../../errors.js';
import { withEngine } from '../../judge/define.js';
import { type Failure, failed } from '../../judge/respondent.js';
import { fingerprint } from '../../model/fingerprint.js';
import { loadModel } from '../../model/load.js';
import { loadAdapter } from '../../model/peft.js';
import { createRewardScorer } from '../../model/reward-scorer.js';
import type { TokenSequence } from '../../text/token-sequence.js';
import { type RewardTools, defineReward } from '../define.js';
import { readSaved } from '../fit/saved.js';
import { SavedTextClassifier, readyClassifier } from '../fit/text-classifier.js';
import { LogprobClassifier } from '../logprob/classifier.js';
import { openLogprobClassifier } from '../logprob/open.js';
import type { Rated, Reward, RewardItem } from '../reward.js';
import { bySentence } from './sentences.js';
import { digest, textReward } from '../text-reward.js';

const Options = z.strictObject({
  /** The label that responses should not have. */
  avoid: z.string().min(1).optional(),
  /** Or the label that they should have. */
  want: z.string().min(1).optional(),
  /** A JSON file of a classifier, as `fitTextClassifier` or `fitLogprobClassifier` makes it. */
  file: z.string().min(1).optional(),
  /** Or the folder of an adapter that the method `classifier` trained. */
  adapter: z.string().min(1).optional(),
  /** The adapter's labels in the order of training. */
  labels: z.array(z.string().min(1)).min(2).optional(),
  /** The model of an adapter, or of a classifier by log-probabilities. Default: the default model. */
  model: z.string().min(1).optional(),
  /** What an adapter reads: the response alone, as rows with a `text` are trained, or the prompt with the response. */
  reads: z.enum(['response', 'prompt']).default('response'),
  /**
   * Rates each sentence alone as well, and takes what the value lacks of 1 off at the sentences that lack it, for `credit: { by: spans }`.
   * The value stays that of the whole response.
   */
  sentences: z.boolean().default(false),
  /** Responses with at least this value are satisfactory. */
  threshold: z.number().min(0).max(1).default(0.5),
})
  .refine(({ avoid, want }) => (avoid === undefined) !== (want === undefined), 'expected exactly one of avoid and want')
  .refine(({ file, adapter }) => (file === undefined) !== (adapter === undefined), 'expected exactly one of file and adapter')
  .refine(({ adapter, labels }) => (adapter === undefined) === (labels === undefined), {
    path: ['labels'], message: 'an adapter needs its labels, in the order of training; a file has its own',
  });
type DetectorOptions = z.infer<typeof Options>;

/**
 * `detector`: the probability that a classifier gives to a wanted label, or 1 less that of an unwanted one (toxic, untrue, a refusal). The
 * classifier is an adapter of the method `classifier`, one of log-probabilities, or one of words alone. Draws a line: at `threshold`.
 */
export const detector = defineReward({
  name: 'detector',
  learned: true,
  options: Options,
  // The probability of a label, which may be one that nobody wants.
  mayBeCost: ({ want }) => want !== undefined,
  describe: ({ avoid, want, file, adapter }) =>
    `detector: ${avoid === undefined ? `wants ${want}` : `avoids ${avoid}`} by ${file ?? adapter}`,
  async open(options, tools) {
    const opened = await (options.file === undefined ? ofAdapter(options, tools) : ofFile(options, options.file, tools));
    return options.sentences ? bySentence(opened) : opened;
  },
});

/** The label that counts. @throws UserError where the classifier lacks it */
function chosenLabel({ avoid, want }: DetectorOptions, labels: readonly string[], of: string): string {
  const label = avoid ?? want!;
  if (labels.includes(label)) return label;
  const near = nearest(label, labels);
  throw new UserError(`${of} knows no label "${label}".`, [
    near === undefined ? `It knows ${labels.join(', ')}.` : `Did you mean "${near}"? It knows ${labels.join(', ')}.`,
  ]);
}

function rated(options: DetectorOptions, label: string, p: number): Rated {
  const value = options.avoid === undefined ? p : 1 - p;
  const satisfied = value >= options.threshold;
  const reason = satisfied ? null : `The detector gives "${label}" a probability of ${p.toFixed(2)}.`;
  return { value, satisfied, parts: { [label]: p }, reason };
}

const SavedClassifier = z.discriminatedUnion('kind', [SavedTextClassifier, LogprobClassifier]);

async function ofFile(options: DetectorOptions, file: string, tools: RewardTools): Promise<Reward> {
  const saved = await readSaved(file, SavedClassifier, 'Save what fitTextClassifier or fitLogprobClassifier returns, as JSON.');
  const label = chosenLabel(options, saved.labels, file);
  if (saved.kind === 'logprob-classifier') return ofLogprobs(options, { saved, label, file }, tools);
  if (options.model !== undefined) {
    throw new UserError(`detector.model is ${options.model}, and the classifier in ${file} reads words alone.`, ['Leave out model.']);
  }
  const classify = readyClassifier(saved);
  return textReward('detector', { options, saved }, true, (items) =>
    items.map(({ response }) => rated(options, label, classify(response)[label]!)));
}

async function ofLogprobs(
  options: DetectorOptions, { saved, label, file }: { readonly saved: LogprobClassifier; readonly label: string; readonly file: string },
  tools: RewardTools,
): Promise<Reward> {
  const classify = await openLogprobClassifier(saved, file, options.model, tools);
  return {
    name: `detector ${digest({ options, saved })}`,
    drawsLine: true,
    async rate(items, { onProgress } = {}) {
      const found = await classify.probabilities(items, onProgress);
      return found.map((one) => (failed(one) ? one : rated(options, label, one[label]!)));
    },
    close: () => classify.close(),
  };
}

const ofAdapter = (options: DetectorOptions, tools: RewardTools): Promise<Reward> => withEngine(tools, async (engine) => {
  const [folder, labels] = [options.adapter!, options.labels!];
  const label = chosenLabel(options, labels, folder);
  const model = await loadModel(options.model, { log: tools.log });
  const adapter = await loadAdapter(folder, model.checkpoint);
  const scorer = await createRewardScorer(engine, model, adapter);
  if (scorer.size !== labels.length) {
    await scorer.release();
    throw new UserError(`The head of ${folder} gives ${scorer.size} numbers; labels has ${labels.length}: ${labels.join(', ')}.`, [
      'List the labels of its training, in their order.',
    ]);
  }
  const { template, architecture: { context } } = model;
  const sequenceOf = ({ prompt, response }: RewardItem): TokenSequence | Failure => {
    const alone = options.reads === 'response';
    const asked = template.prompt(alone ? [{ role: 'user', content: response }] : prompt);
    const sequence = { prompt: asked, response: template.response(alone ? '' : response) };
    const tokens = sequence.prompt.length + sequence.response.length;
    return tokens <= context ? sequence : { failure: 'too-long', detail: `${tokens} tokens; the context of the model is ${context}` };
  };
  return {
    name: `detector ${fingerprint(model, adapter)} ${digest(options)}`,
    drawsLine: true,
    async rate(items, { onProgress } = {}) {
      const sequences = items.map(sequenceOf);
      const scores = await scorer.scores(sequences.filter((one): one is TokenSequence => !('failure' in one)));
      onProgress?.(items.length, items.length);
      let at = 0;
      return sequences.map((one) => ('failure' in one ? one : rated(options, label, softmaxAt(scores[at++]!, labels.indexOf(label)))));
    },
    close: () => scorer.release(),
  };
});

function softmaxAt(scores: readonly number[], i: number): number {
  const most = Math.max(...scores);
  return Math.exp(scores[i]! - most) / scores.reduce((sum, one) => sum + Math.exp(one - most), 0);
}
