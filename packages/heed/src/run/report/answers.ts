/** Answers to the same prompts before and after training, side by side. */
import type { AnswerSample } from './data.js';
import { number } from './format.js';
import { html } from './html.js';
import type { Html } from './html.js';

const MAX_PAIRS = 60;
const GOOD = new Set(['satisfied', 'satisfactory', 'good', 'pass', 'passed', 'yes', 'true', 'ok']);
const BAD = new Set(['unsatisfied', 'unsatisfactory', 'not satisfied', 'bad', 'fail', 'failed', 'no', 'false']);

const BOOLEAN_WORDS = { true: 'satisfied', false: 'not satisfied' } as const;

/** A verdict as good, bad, or neither (a number, a tie, a refusal, a judge that failed). */
export function standing(verdict: AnswerSample['verdict']): 'good' | 'bad' | 'open' {
  const word = String(verdict).toLowerCase().trim();
  if (GOOD.has(word)) return 'good';
  return BAD.has(word) ? 'bad' : 'open';
}

/** The answers to one prompt. */
export interface Pair {
  readonly id: string;
  readonly prompt: string;
  before?: AnswerSample;
  after?: AnswerSample;
}

/** `open`: a verdict of one of them is neither good nor bad, or missing. */
export type Change = 'better' | 'worse' | 'same' | 'open';

/** What became of an answer. */
export function change({ before, after }: Pair): Change {
  if (typeof before?.verdict === 'number' && typeof after?.verdict === 'number') {
    if (before.verdict === after.verdict) return 'same';
    return after.verdict > before.verdict ? 'better' : 'worse';
  }
  const was = standing(before?.verdict);
  const is = standing(after?.verdict);
  if (was === 'open' || is === 'open') return 'open';
  if (was === is) return 'same';
  return is === 'good' ? 'better' : 'worse';
}

/** A verdict in words. */
export function wordOf(verdict: AnswerSample['verdict']): string | null | undefined {
  if (typeof verdict === 'number') return `reward ${number(verdict)}`;
  return typeof verdict === 'boolean' ? BOOLEAN_WORDS[`${verdict}`] : verdict;
}

function side(title: string, answer: AnswerSample | undefined): Html {
  if (!answer) return html`<div class="side"><h4>${title}</h4><p class="quiet">no answer recorded</p></div>`;
  const state = standing(answer.verdict);
  const word = wordOf(answer.verdict);
  const sign = { good: '✓', bad: '✗', open: '·' }[state];
  const chip = word && html` <span class="chip ${state}">${sign} ${word}</span>`;
  const reason = answer.reason && html`<p class="reason">${answer.reason}</p>`;
  return html`<div class="side"><h4>${title}${chip}</h4><div class="text">${answer.response}</div>${reason}</div>`;
}

function article(pair: Pair): Html {
  return html`<article class="pair" data-change="${change(pair)}"><p class="prompt"><span class="id">${pair.id}</span> ${pair.prompt}</p>
      <div class="sides">${side('before', pair.before)}${side('after', pair.after)}</div></article>`;
}

/** The answers prompt by prompt, in the order of the first ones. */
export function pairsOf(answers: readonly AnswerSample[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const answer of answers) {
    const pair = pairs.get(answer.id) ?? { id: answer.id, prompt: answer.prompt };
    pair[answer.when] = answer; // a resumed run may have answered again: the last counts
    pairs.set(answer.id, pair);
  }
  return [...pairs.values()];
}

/** The answers, at most 60 prompts, with buttons for what got better or worse. */
export function answerPairs(answers: readonly AnswerSample[]): Html {
  const all = pairsOf(answers);
  const count = (kind: Change): number => all.filter((pair) => change(pair) === kind).length;
  const shown = all.slice(0, MAX_PAIRS);
  const kinds: [Change, string][] = [['better', 'better'], ['worse', 'worse'], ['same', 'as before'], ['open', 'not decided']];
  const buttons = kinds
    .filter(([kind]) => count(kind) > 0)
    .map(([kind, name]) => html`<button type="button" data-show="${kind}" aria-pressed="false">${name} ${count(kind)}</button>`);
  return html`<p class="filter" role="group" aria-label="Show">
      <button type="button" data-show="all" aria-pressed="true">all ${all.length}</button>${buttons}</p>
    ${shown.length < all.length &&
      html`<p class="note">The first ${shown.length} of ${all.length} prompts are shown; all are in samples.jsonl.</p>`}
    ${shown.map(article)}`;
}
