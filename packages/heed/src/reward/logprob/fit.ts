/** Trains a classifier by log-probabilities, and measures it beside one that reads words and one that sees the length. */
import { withEngine } from '../../judge/define.js';
import { failed } from '../../judge/respondent.js';
import { fingerprint } from '../../model/fingerprint.js';
import { loadModel } from '../../model/load.js';
import { auroc, confidenceMetrics } from '../calibration/metrics.js';
import type { RewardTools } from '../define.js';
import { fitLogistic, scaled, scalingOf } from '../fit/logistic.js';
import { fitTextClassifier, readyClassifier } from '../fit/text-classifier.js';
import { type LogprobClassifier, classifyByLogprobs } from './classifier.js';
import { LOGPROB_FEATURES, type LogprobFeatures, logprobFeatures } from './features.js';
import { type Said, openLogprobReader } from './reader.js';

/** A text with its label. */
export interface LabelledText extends Said {
  readonly label: string;
  /** Rows of one group are never on both sides of a split. Default: those with the same prompt are a group. */
  readonly group?: string;
}

/** How well a classifier does on rows of groups that it was not trained on. */
export interface LogprobReport {
  readonly rows: number;
  /** Rows that the model could not read, each with its reason, by their places. */
  readonly unread: readonly { readonly row: number; readonly detail: string }[];
  /** The area under the ROC curve of the classifier, of each of its features alone, of a classifier of words, and of the length. */
  readonly auc: Readonly<Record<'logprobs' | (typeof LOGPROB_FEATURES)[number] | 'bagOfWords' | 'length', number>>;
  /** Of its probabilities; `base`: the Brier score of saying the same share each time. */
  readonly brier: number;
  readonly base: number;
  readonly ece: number;
}

/** How a classifier is trained. */
export interface LogprobFitOptions extends RewardTools {
  /** The model that reads, by name or folder. Default: the default model. */
  readonly model?: string;
  /** Parts of the groups, each measured by a classifier of the others. Default: 5. */
  readonly folds?: number;
  /** Is told how many rows are read. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Logistic regression on `LOGPROB_FEATURES`, read under a model without an adapter.
 *
 * @param rows Of two labels; the second in the order of the alphabet has the weights.
 * @returns The classifier of all rows, to be saved as JSON, and the report on held-out ones.
 * @throws RangeError where the rows have not just two labels
 */
export async function fitLogprobClassifier(
  rows: readonly LabelledText[], { model: name, folds = 5, onProgress, ...tools }: LogprobFitOptions = {},
): Promise<{ readonly classifier: LogprobClassifier; readonly report: LogprobReport }> {
  const model = await loadModel(name, { log: tools.log });
  const reader = await withEngine(tools, (engine) => openLogprobReader(engine, model));
  try {
    const readings = await reader.read(rows, onProgress);
    const measured = rows.flatMap((row, i) => {
      const one = readings[i]!;
      return failed(one) ? [] : [{ row, features: logprobFeatures(one) }];
    });
    const unread = readings.flatMap((one, row) => (failed(one) ? [{ row, detail: one.detail }] : []));
    return fitOnFeatures(measured, { fingerprint: fingerprint(model), folds, unread });
  } finally {
    await reader.close();
  }
}

interface Measured {
  readonly row: LabelledText;
  readonly features: LogprobFeatures;
}

/** The part of `fitLogprobClassifier` that needs no model. */
export function fitOnFeatures(
  measured: readonly Measured[], { fingerprint: model, folds = 5, unread = [] }: {
    readonly fingerprint: string; readonly folds?: number; readonly unread?: LogprobReport['unread'];
  },
): { readonly classifier: LogprobClassifier; readonly report: LogprobReport } {
  const labels = [...new Set(measured.map(({ row }) => row.label))].sort();
  if (labels.length !== 2) throw new RangeError(`fitLogprobClassifier: ${labels.length} labels (${labels.join(', ')}); two are expected`);
  const [no, yes] = labels as [string, string];
  const fitOn = (some: readonly Measured[]): LogprobClassifier => {
    const table = some.map(({ features }) => LOGPROB_FEATURES.map((name) => features[name]));
    const scaling = scalingOf(table);
    const rows = table.map((row) => scaled(scaling, row));
    const { weights, bias } = fitLogistic(rows, some.map(({ row }) => row.label === yes), LOGPROB_FEATURES.length);
    return {
      kind: 'logprob-classifier', model, labels: [no, yes], features: [...LOGPROB_FEATURES],
      mean: [...scaling.mean], deviation: [...scaling.deviation], weights: [...weights], bias,
    };
  };

  const groups = measured.map(({ row }) => row.group ?? JSON.stringify(row.prompt));
  const places = new Map([...new Set(groups)].map((group, i) => [group, i % folds]));
  const p = new Array<number>(measured.length);
  const words = new Array<number>(measured.length);
  for (let fold = 0; fold < folds; fold++) {
    const own = (i: number): boolean => places.get(groups[i]!) === fold;
    const train = measured.filter((_, i) => !own(i));
    const classifier = fitOn(train);
    const bag = readyClassifier(fitTextClassifier(train.map(({ row }) => ({ text: row.response, label: row.label }))));
    measured.forEach(({ row, features }, i) => {
      if (!own(i)) return;
      p[i] = classifyByLogprobs(classifier, features)[yes]!;
      words[i] = bag(row.response)[yes]!;
    });
  }
  const is = measured.map(({ row }) => row.label === yes);
  const share = is.filter(Boolean).length / is.length;
  const auc = (scores: readonly number[]): number => auroc(scores, is)!;
  const alone = LOGPROB_FEATURES.map((name) => [name, auc(measured.map(({ features }) => features[name]))] as const);
  const calibrated = confidenceMetrics(p, is)!;
  return {
    classifier: fitOn(measured),
    report: {
      rows: measured.length, unread,
      auc: {
        logprobs: auc(p),
        ...(Object.fromEntries(alone) as LogprobFeatures),
        bagOfWords: auc(words),
        length: auc(measured.map(({ row }) => row.response.length)),
      },
      brier: calibrated.brier, ece: calibrated.ece, base: share * (1 - share),
    },
  };
}
