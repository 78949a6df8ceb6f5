/** The label report as plain text for a terminal. */
import { finePercent as percent, withInterval } from '../run/numbers.js';
import type { Estimate } from '../run/statistics.js';
import type { LabelReport } from './report.js';
import type { Spent } from './usage.js';
import type { Calibration, PositionBias, Verdicts } from './statistics.js';

const share = (estimate: Estimate): string => `${withInterval(estimate, percent)}, n = ${estimate.n}`;
const fixed = (x: number): string => x.toFixed(3);

/** What a person wants to see first: how many rows, what the labels are worth, what failed, what it cost. */
export function renderLabelReport(report: LabelReport): string {
  const { labeler, judge, answers, rows, labelled, skipped, failed, speakToJudge } = report;
  const lines = [
    `${labeler} by ${judge}`,
    ...(answers === undefined ? [] : [`responses by ${answers}`]),
    `${labelled} of ${rows} rows labelled${skipped === 0 ? '' : `; ${skipped} more left out as junk`}`,
    ...(failed.rows === 0 ? [] : [`failed: ${failed.rows} (${percent(failed.share)}; ${percent(failed.allowed)} allowed): ${Object.entries(failed.reasons).map(([reason, n]) => `${reason} ${n}`).join(', ')}`]),
    ...(speakToJudge === 0 ? [] : [`rows with a response that speaks to the judge: ${speakToJudge}; read them`]),
    '',
    ...measured(report),
    '',
    asking(report),
  ];
  return lines.join('\n');
}

function measured(report: LabelReport): string[] {
  switch (report.labeler) {
    case 'preferences': {
      const { agreement, position, calibration, ties, mass, fromSamples, cutRationales } = report.measures;
      return [
        ...(agreement === undefined ? [] : [
          `agrees with people:  ${share(agreement.label)}${agreement.label.ties === 0 ? '' : `; ${agreement.label.ties} ties left out`}`,
          ...(agreement.oneOrder === undefined ? [] : [`  one order alone:   ${share(agreement.oneOrder)}`]),
          ...(agreement.otherOrder === undefined ? [] : [`  the other alone:   ${share(agreement.otherOrder)}`]),
        ]),
        ...positions(position),
        `ties: ${ties}`,
        ...(mass === undefined ? [] : [`probability of "1" and "2" together: ${fixed(mass)}`]),
        ...sampled(fromSamples),
        ...(cutRationales === 0 ? [] : [`rationales cut off: ${cutRationales}`]),
        ...reliability(calibration),
      ];
    }
    case 'scores': {
      const { rating, distribution, human, calibration, ties, mass, fromSamples } = report.measures;
      return [
        `rating: mean ${rating.mean.toFixed(2)}, standard deviation ${rating.sd.toFixed(2)}`,
        ...bars('mean probability of a rating', distribution.map((p, i) => ({ name: String(i + 1).padStart(2), value: p, note: fixed(p) }))),
        ...(human === undefined ? [] : [`rank correlation with people: ${fixed(human.correlation)}, n = ${human.n}`]),
        `ties (rows whose rating another has too): ${ties}`,
        ...(mass === undefined ? [] : [`probability of the ratings together: ${fixed(mass)}`]),
        ...sampled(fromSamples),
        ...reliability(calibration),
      ];
    }
    case 'principles': {
      const { position, principles, calibration, ties, undecided, fromSamples } = report.measures;
      const width = Math.max(...principles.map(({ name }) => name.length));
      return [
        ...principles.map(({ name, agreed, first, size, agreement }) =>
          `${name.padEnd(width)}  orders agree ${percent(agreed)}, first better ${percent(first)}, mean |score| ${size.toFixed(2)}${agreement === undefined ? '' : `, agrees with people ${share(agreement)}`}`),
        ...positions(position),
        `ties (comparisons whose orders disagree): ${ties}`,
        ...(undecided === 0 ? [] : [`pairs that no principle decides: ${undecided}`]),
        ...sampled(fromSamples),
        ...reliability(calibration),
      ];
    }
    case 'judgments': {
      const { satisfied, quoting, misquotes, cut, human, calibration, mass } = report.measures;
      return [
        `satisfied: ${satisfied} of ${report.labelled}`,
        `judgments that quote the response: ${quoting} of ${report.labelled - satisfied}; quotations that are not from it: ${misquotes}`,
        ...(cut === 0 ? [] : [`judgments cut off, whole sentences kept: ${cut}`]),
        ...verdicts(human),
        ...(mass === undefined ? [] : [`probability of "Yes" and "No" together: ${fixed(mass)}`]),
        ...reliability(calibration),
      ];
    }
    case 'revisions': {
      const { revised, unchanged, cut, rounds, words } = report.measures;
      return [
        `revised: ${revised}, unchanged: ${unchanged}`,
        ...rounds.map(({ nothingToMend, revised: n, same }, i) => `  round ${i + 1}: ${n} rewritten, ${nothingToMend} with nothing to mend, ${same} rewritten as they were`),
        ...(cut === 0 ? [] : [`critiques cut off, whole sentences kept: ${cut}`]),
        `words of a response: ${words.before.toFixed(1)} before, ${words.after.toFixed(1)} after`,
      ];
    }
  }
}

function verdicts(human: Verdicts | undefined): string[] {
  if (human === undefined) return [];
  const { accuracy, balanced, majority, yes, no } = human;
  return [
    `agrees with people:    ${share(accuracy)}; the commoner verdict alone: ${percent(majority)}`,
    `  mean of both classes: ${share(balanced)}; one verdict for all: 50.0 %`,
    `  satisfied where people were: ${yes.saidYes} of ${yes.n}; where they were not: ${no.saidYes} of ${no.n}`,
  ];
}

function positions(position: PositionBias | undefined): string[] {
  if (position === undefined) return [];
  const { same, first, p } = position;
  const biased = Math.round(same.mean * same.n);
  return [`same place preferred in both orders:  ${share(same)}${biased === 0 ? '' : `; of these the first in ${first} of ${biased} (binomial p = ${p < 1e-4 ? p.toExponential(1) : p.toFixed(4)})`}`];
}

const sampled = (n: number): string[] => (n === 0 ? [] : [`replies counted from samples, for want of log-probabilities: ${n}`]);

function reliability(calibration: Calibration | undefined): string[] {
  if (calibration === undefined) return [];
  const { bins, ece, brier } = calibration;
  return [
    `calibration error ${fixed(ece)}, Brier ${fixed(brier)}`,
    ...bars('what people said where the label was', bins.map(({ from, to, seen, n }) => ({ name: `${from.toFixed(1)}–${to.toFixed(1)}`, value: seen, note: `${fixed(seen)}  n = ${n}` }))),
  ];
}

const BAR = 30;
const bars = (title: string, lines: readonly { readonly name: string; readonly value: number; readonly note: string }[]): string[] =>
  [title, ...lines.map(({ name, value, note }) => `  ${name} ${'█'.repeat(Math.round(value * BAR)).padEnd(BAR)} ${note}`)];

const spent = ({ promptTokens, completionTokens, cost }: Spent): string => `${promptTokens} tokens in, ${completionTokens} out${cost === undefined ? '' : `, cost ${cost.toPrecision(3)}`}`;

function asking({ asking: { questions, reused, asked, earlier, ...now }, seconds }: LabelReport): string {
  const before = earlier.promptTokens + earlier.completionTokens > 0 ? ` (${spent(earlier)}, spent earlier)` : '';
  return `${questions} questions: ${reused} replies from the store${before}, ${asked} asked now (${spent(now)}); ${seconds.toFixed(1)} s`;
}
