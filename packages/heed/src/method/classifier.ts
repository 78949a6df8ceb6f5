import {
  type Tensor, abs, atLeast, constant, div, expandTo, greater, logSoftmax, max, mul, neg, reshape, sub, sum, toFloat,
} from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { TIE } from './pairs.js';

const options = z.strictObject({
  /** The classes, in the order of the head's numbers: two or more, all different. */
  labels: z.array(z.string().min(1)).min(2)
    .refine((labels) => new Set(labels).size === labels.length, 'labels must differ from each other'),
});

/**
 * Classifier: a linear head on the last token gives a number z_c for each class; L = −log softmax(z)_label. With two classes too, where
 * that is logistic regression on z_1 − z_2. Unit: row.
 *
 * A row with a prompt is read as prompt and response; one without as what a user says, with an empty response: its class is read at the
 * end of turn either way. The head starts at zero, so that the first loss is ln(number of classes).
 *
 * Metrics: `accuracy`; `recall_<label>` over the rows of each class, whose mean is the balanced accuracy. Where n numbers are equally
 * the largest (up to `TIE`), each counts 1/n, so that a head of zeros has the accuracy of chance.
 */
export const classifier = defineMethod({
  name: 'classifier',
  paper: 'Radford et al., Improving Language Understanding by Generative Pre-Training, 2018, §3.2',
  row: 'classified',
  options,
  names: ['text'],
  columns: ['label'],
  heads: ({ labels }) => ({ score: { size: labels.length, at: 'last' } }),
  sequences: ({ prompt, text: content }, text) => ({
    text: prompt === undefined ? text.respond([{ role: 'user', content }], '') : text.respond(prompt, content),
  }),
  columnsOf: (row, { labels }) => ({ label: labels.indexOf(row.label) }),
  unfit({ label }, { labels }) {
    if (labels.includes(label)) return undefined;
    return `its label is ${JSON.stringify(label)}; method.labels has ${labels.map((l) => JSON.stringify(l)).join(', ')}`;
  },
  unfitTogether(rows) {
    const [first] = rows;
    if (first === undefined || rows.some((row) => row.label !== first.label)) return undefined;
    return `all ${rows.length} rows have the label ${JSON.stringify(first.label)}: there is nothing to tell apart`;
  },

  loss({ scores: { score: scores }, columns, rows }, { labels }) {
    const size = labels.length;
    const wide = scores!.text.shape;
    const index = expandTo(reshape(columns['label']!, [wide[0]!, 1]), wide);
    const own = toFloat(greater(0.5, abs(sub(index, constant(labels.map((_, i) => i), [size])))));
    const at = (x: Tensor): Tensor => sum(mul(x, own), [-1]);
    const best = toFloat(atLeast(scores!.text, sub(expandTo(max(scores!.text, -1, true), wide), TIE)));
    const right = div(at(best), sum(best, [-1]));
    const perLabel = labels.map((label, i) => {
      const ofClass = toFloat(greater(0.5, abs(sub(columns['label']!, i))));
      return [`recall_${label}`, { sum: sum(mul(right, ofClass)), count: sum(ofClass) }] as const;
    });
    return {
      terms: [{ sum: sum(neg(at(logSoftmax(scores!.text)))), count: rows }],
      metrics: { accuracy: { sum: sum(right), count: rows }, ...Object.fromEntries(perLabel) },
    };
  },
});
