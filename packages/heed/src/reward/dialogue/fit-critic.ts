/** Trains a critic of dialogues: which turns belong where they stand. */
import { type Rarity, rarity } from '../../text/idf.js';
import { contentWords, counts, stem } from '../../text/words.js';
import { auroc } from '../calibration/metrics.js';
import { fitLogistic, scaled, scalingOf } from '../fit/logistic.js';
import { type TextClassifier, fitTextClassifier, readyClassifier } from '../fit/text-classifier.js';
import { type Continuation, type Dialogue, continuationsOf } from './continuations.js';
import { type DialogueCritic, criticScorer } from './critic-file.js';
import { FEATURES, featuresOf } from './features.js';
import { fitIntents, intentReader } from './intents.js';
import { fitTopics, topicReader } from './topics.js';

/** Words that are kept with their counts; rarer ones are as rare as can be. */
const KEPT = 4000;

/** How well a critic tells real continuations from false ones, on dialogues that it was not trained on. */
export interface CriticReport {
  readonly rows: number;
  /** The area under the ROC curve of the critic; of a classifier that reads the words of the turn alone; of the turn's length alone. */
  readonly auc: { readonly critic: number; readonly bagOfWords: number; readonly length: number };
  /** Of pairs (real, false) after the same turns, the share in which the real one scores higher, by how the false one was made. */
  readonly pairs: Readonly<Record<'foreign' | 'shuffled', number>>;
}

/** How a critic is trained. */
export interface CriticFitOptions {
  /** Of the false continuations and of the topics. Default: 0. */
  readonly seed?: number;
  /** Parts of the dialogues in the report. Default: 5. */
  readonly folds?: number;
  /** How many topics. Default: 20; 0 leaves them out. */
  readonly topics?: number;
  /** A classifier of what turns are for, trained on labelled turns. Default: the feature `intent` is left out. */
  readonly intents?: TextClassifier;
}

/**
 * A logistic regression on `FEATURES`, trained on real continuations against foreign and shuffled ones. A turn's length is held in the
 * regression, so that other features do not stand for it, and counts for nothing in the score.
 *
 * The report is of `folds` parts of the dialogues (default 5), each scored by a critic of the others.
 */
export function fitCritic(dialogues: readonly Dialogue[], { seed = 0, folds = 5, topics = 20, intents }: CriticFitOptions = {}): {
  readonly critic: DialogueCritic; readonly report: CriticReport;
} {
  const settings = { topics, intents, seed };
  const rows = continuationsOf(dialogues, seed);
  const scores = new Array<number>(rows.length);
  const words = new Array<number>(rows.length);
  for (let fold = 0; fold < folds; fold++) {
    const own = (row: Continuation): boolean => row.dialogue % folds === fold;
    const train = rows.filter((row) => !own(row));
    const score = criticScorer(fitOn(train, dialogues.filter((_, d) => d % folds !== fold), settings));
    const bag = readyClassifier(fitTextClassifier(train.map(({ turn, real }) => ({ text: turn, label: real ? 'yes' : 'no' }))));
    rows.forEach((row, i) => {
      if (!own(row)) return;
      scores[i] = score(row.turn, row.before);
      words[i] = bag(row.turn)['yes']!;
    });
  }
  const real = rows.map((row) => row.real);
  const pairs = { foreign: [] as number[], shuffled: [] as number[] };
  rows.forEach(({ made }, i) => {
    if (made !== undefined) pairs[made].push((Math.sign(scores[i - 1]! - scores[i]!) + 1) / 2);
  });
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  const auc = { critic: auroc(scores, real)!, bagOfWords: auroc(words, real)!, length: auroc(rows.map(({ turn }) => turn.length), real)! };
  return {
    critic: fitOn(rows, dialogues, settings),
    report: { rows: rows.length, auc, pairs: { foreign: mean(pairs.foreign), shuffled: mean(pairs.shuffled) } },
  };
}

type Settings = Required<Pick<CriticFitOptions, 'topics' | 'seed'>> & Pick<CriticFitOptions, 'intents'>;

function fitOn(
  rows: readonly Continuation[], dialogues: readonly Dialogue[], { topics: k, intents: classifier, seed }: Settings,
): DialogueCritic {
  const lists = dialogues.flat().map((turn) => contentWords(turn).map(stem));
  const rare = rarity(lists);
  const topics = k === 0 ? undefined : fitTopics(dialogues.flat(), { k, seed });
  const read = topics && topicReader(topics);
  const intents = classifier && fitIntents(classifier, dialogues);
  const follow = intents && intentReader(intents);
  const features = rows.map(({ turn, before }) => {
    const found = featuresOf(turn, { before, rarity: rare, topics: read, intents: follow });
    return FEATURES.map((name) => found[name]);
  });
  const scaling = scalingOf(features);
  const { weights, bias } = fitLogistic(features.map((row) => scaled(scaling, row)), rows.map(({ real }) => real), FEATURES.length);
  return {
    kind: 'dialogue-critic', features: [...FEATURES], mean: [...scaling.mean], deviation: [...scaling.deviation],
    weights: [...weights], bias,
    rarity: commonest(lists, rare), rarest: rare.of(''), topics, intents,
  };
}

function commonest(lists: readonly (readonly string[])[], rare: Rarity): Record<string, number> {
  const common = [...counts(lists.flat())].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, KEPT);
  return Object.fromEntries(common.map(([word]) => [word, Number(rare.of(word).toFixed(4))]));
}

