/** What `heed compare` prints. */
import { type Comparison, type ComparedAnswer, type ComparedPrompt, tellingFirst } from '../evaluate/compare.js';
import { NAMES, answerColumns, cellsOf, duelLines, howAnswered, warningsOf } from '../evaluate/comparison-words.js';
import { directionOf, measurementOf } from '../run/report/measurements.js';
import { table } from './output.js';
import { sideBySide } from './side-by-side.js';

interface Shape {
  /** Prompts to print with their answers. */
  readonly show: number;
  /** Width of the terminal. */
  readonly columns: number;
}

/** The numbers, and the prompts that tell most with their answers. */
export function renderComparison(found: Comparison, { show, columns }: Shape): string {
  const { contenders, duels, prompts } = found;
  const lines = NAMES.filter(([name]) => contenders.some(({ measured }) => measured[name] !== undefined))
    .map(([name, words, write]) => [words, ...cellsOf(found, name, write), directionOf(measurementOf(name)) ?? '']);
  const shown = tellingFirst(prompts).slice(0, show);
  return [
    howAnswered(found),
    ...warningsOf(found).map((line) => `warning: ${line}`), '',
    table([['', ...contenders.map(({ name }) => name), ''], ...lines]), '',
    ...duels.flatMap((duel) => [...duelLines(duel, contenders), '']),
    ...shown.flatMap((prompt) => [...promptLines(found, prompt, columns), '']),
    ...(shown.length < prompts.length ? [`${prompts.length - shown.length} more prompts: --show ${prompts.length}, --csv or --html`] : []),
  ].join('\n').trimEnd();
}

/** Least width of an answer: more of them stand below each other. */
const LEAST = 24;

function promptLines(found: Comparison, prompt: ComparedPrompt, columns: number): string[] {
  const { row, outcomes } = prompt;
  const said = outcomes.length === 0 ? '' : `  ${outcomes.map((one, i) => `${found.contenders[i + 1]!.name}: ${one}`).join(', ')}`;
  const texts = answerColumns(found).map(({ name, of }) => ({ name: `${name}${ratingOf(of(prompt))}`, text: of(prompt).text }));
  const most = Math.max(2, Math.floor(columns / LEAST));
  const lines = Array.from({ length: Math.ceil(texts.length / most) }, (_, i) => texts.slice(i * most, (i + 1) * most));
  return [`${row.id ?? row.source.line}${said}`, row.prompt.at(-1)!.content, ...lines.flatMap((some) => ['', sideBySide(some, columns)])];
}

const ratingOf = ({ rated }: ComparedAnswer): string => {
  if (rated === undefined) return '';
  return 'failure' in rated ? `, ${rated.failure}` : `, ${rated.value.toFixed(3)}`;
};
