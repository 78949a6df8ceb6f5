/** Answers that the policy gradient learnt from: the best, the worst, and the prompts whose reward changed most. */
import { z } from 'zod';
import { number } from './format.js';
import { SCROLLING, html } from './html.js';
import type { Html } from './html.js';
import { RIDGE_NOTE, type Ridge, ridgePlot } from './ridge.js';

/** What the report reads of a line of `rollouts.jsonl`. */
export const RolloutLine = z.object({
  round: z.number(),
  row: z.union([z.string(), z.number()]).transform(String),
  prompt: z.string(),
  completion: z.string(),
  reward: z.number().nullable(),
  rewards: z.record(z.string(), z.number().nullable()).optional(),
  costs: z.record(z.string(), z.number()).optional(),
  reason: z.string().nullish(),
  advantage: z.number(),
  /** Where the answer's tokens differ in their advantage: the tokens, and the advantage of each. */
  ids: z.array(z.number()).optional(),
  advantages: z.array(z.number()).optional(),
});
export type RolloutLine = z.infer<typeof RolloutLine>;
type Rated = RolloutLine & { readonly reward: number };

const SHOWN = 5;
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

interface Changed {
  readonly row: string;
  readonly prompt: string;
  readonly first: readonly Rated[];
  readonly last: readonly Rated[];
  readonly change: number;
}

/** The prompts that were answered in several rounds, by how far their mean reward moved from their first round to their last. */
export function changedMost(rollouts: readonly Rated[]): Changed[] {
  const byRow = new Map<string, Rated[]>();
  for (const one of rollouts) byRow.set(one.row, [...(byRow.get(one.row) ?? []), one]);
  return [...byRow].flatMap(([row, own]): Changed[] => {
    const rounds = own.map(({ round }) => round);
    const [from, to] = [Math.min(...rounds), Math.max(...rounds)];
    if (from === to) return [];
    const [first, last] = [from, to].map((k) => own.filter(({ round }) => round === k)) as [Rated[], Rated[]];
    const change = mean(last.map(({ reward }) => reward)) - mean(first.map(({ reward }) => reward));
    return [{ row, prompt: own[0]!.prompt, first, last, change }];
  }).sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
}

const numbersOf = ({ reward, rewards = {}, costs = {}, advantage }: Rated): string => [
  `reward ${number(reward)}`,
  ...Object.entries(rewards).map(([name, value]) => `${name} ${value === null ? '–' : number(value)}`),
  ...Object.entries(costs).map(([name, value]) => `cost ${name} ${number(value)}`),
  `advantage ${number(advantage)}`,
].join(', ');

function answerRow(one: Rated): Html {
  const reason = one.reason && html`<p class="reason">${one.reason}</p>`;
  return html`<tr><td class="num" data-label="round">${one.round}</td><td data-label="numbers">${numbersOf(one)}</td>
    <td class="text" data-label="prompt">${one.prompt}</td><td class="text" data-label="answer">${one.completion}${reason}</td></tr>`;
}

const answerTable = (caption: string, shown: readonly Rated[]): Html => html`<div ${SCROLLING}><table class="cards">
  <caption>${caption}</caption>
  <thead><tr><th scope="col" class="num">round</th><th scope="col">numbers</th><th scope="col">prompt</th>
    <th scope="col">answer</th></tr></thead>
  <tbody>${shown.map(answerRow)}</tbody>
</table></div>`;

function changedTable(changed: readonly Changed[]): Html {
  const best = (own: readonly Rated[]): string => own.reduce((a, b) => (b.reward > a.reward ? b : a)).completion;
  return html`<div ${SCROLLING}><table class="cards">
    <caption>Prompts whose mean reward changed most
      <span class="quiet">with the best answer of the first and of the last round</span></caption>
    <thead><tr><th scope="col">prompt</th><th scope="col">reward</th><th scope="col">at first</th><th scope="col">at last</th></tr></thead>
    <tbody>${changed.map(({ prompt, first, last }) => html`<tr><td class="text" data-label="prompt">${prompt}</td>
      <td class="num" data-label="reward">${[first, last].map((own) => number(mean(own.map(({ reward }) => reward)))).join(' → ')}</td>
      <td class="text" data-label="at first">${best(first)}</td><td class="text" data-label="at last">${best(last)}</td></tr>`)}</tbody>
  </table></div>`;
}

/** Most lines of the plot of rewards: more than these are hard to tell apart. */
const RIDGES = 8;

/** The rewards of the answers over the run, in up to eight groups of rounds that follow each other. */
export function rewardRidges(rated: readonly { readonly round: number; readonly reward: number }[]): Ridge[] {
  const rounds = [...new Set(rated.map(({ round }) => round))].sort((a, b) => a - b);
  const groups = Math.min(RIDGES, rounds.length);
  return Array.from({ length: groups }, (_, k) => {
    const own = rounds.slice(Math.floor((k * rounds.length) / groups), Math.floor(((k + 1) * rounds.length) / groups));
    const [first, last] = [own[0]!, own.at(-1)!];
    const values = rated.filter(({ round }) => round >= first && round <= last).map(({ reward }) => reward);
    return { name: first === last ? `round ${first}` : `rounds ${first} to ${last}`, values };
  });
}

/** The tables. The best and the worst are of the last quarter of the rounds. */
export function rolloutTables(rollouts: readonly RolloutLine[]): Html {
  const rated = rollouts.filter((one): one is Rated => one.reward !== null);
  const last = Math.max(...rated.map(({ round }) => round));
  const late = rated.filter(({ round }) => round > last * 0.75).sort((a, b) => b.reward - a.reward);
  const changed = changedMost(rated).slice(0, SHOWN);
  return html`<p class="quiet">${rollouts.length} answers were sampled in ${last} rounds; all are in rollouts.jsonl.</p>
    ${ridgePlot(rewardRidges(rated), 'How often an answer got which reward, over the rounds')}<p class="quiet">${RIDGE_NOTE}</p>
    ${answerTable('The best answers of the last rounds', late.slice(0, SHOWN))}
    ${answerTable('The worst answers of the last rounds', late.slice(-SHOWN).reverse())}
    ${changed.length > 0 && changedTable(changed)}`;
}
