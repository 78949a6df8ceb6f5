/** A comparison as a page that loads nothing. */
import { failed } from '../judge/respondent.js';
import { documentOf } from '../run/report/document.js';
import { type Html, SCROLLING, html } from '../run/report/html.js';
import { directionOf, measurementOf } from '../run/report/measurements.js';
import { RIDGE_NOTE, RIDGE_STYLE, ridgePlot } from '../run/report/ridge.js';
import { said } from '../text/turn.js';
import { type Comparison, type ComparedAnswer, type ComparedPrompt, tellingFirst } from './compare.js';
import { type AnswerColumn, NAMES, answerColumns, cellsOf, duelLines, howAnswered, warningsOf } from './comparison-words.js';
import type { Outcome } from './duel.js';

/** Room for more than two answers beside each other; under each other where the screen is narrow. */
const STYLE = `.compared { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 24px; }${RIDGE_STYLE}`;
const SIGNS: Readonly<Record<Outcome, string>> = { win: '✓ win', loss: '✗ loss', tie: '= tie', unrated: '· without a rating' };
const STANDING: Readonly<Record<Outcome, string>> = { win: 'good', loss: 'bad', tie: 'open', unrated: 'open' };

/** The numbers, then all prompts with their answers, those that tell most first. */
export const comparisonPage = (found: Comparison): string => documentOf('Comparison', html`<main>
<h1>${found.contenders.map(({ name }) => name).join(' · ')}</h1>
<p class="quiet">${found.model}: ${howAnswered(found)}</p>
${warningsOf(found).map((line) => html`<p class="alarm">${line}</p>`)}
${numbers(found)}
${rewards(found)}
${found.duels.map((duel) => {
    const [first, ...more] = duelLines(duel, found.contenders);
    return html`<h2>${first}</h2><ul>${more.map((line) => html`<li>${line.trim()}</li>`)}</ul>`;
  })}
<h2>Answers, the most telling first</h2>
${tellingFirst(found.prompts).map((prompt) => article(answerColumns(found), prompt))}
</main>`, { style: STYLE });

/** How often a contender's answer got which reward. */
function rewards({ contenders, prompts }: Comparison): Html | undefined {
  const ridges = contenders.map(({ name }, k) => ({
    name,
    values: prompts.flatMap(({ answers }) => {
      const { rated } = answers[k]!;
      return rated === undefined || failed(rated) ? [] : [rated.value];
    }),
  }));
  if (ridges.some(({ values }) => values.length === 0)) return undefined;
  return html`<h2>Rewards</h2>${ridgePlot(ridges, 'How often an answer got which reward')}<p class="quiet">${RIDGE_NOTE}</p>`;
}

function numbers(found: Comparison): Html {
  const lines = NAMES.filter(([name]) => found.contenders.some(({ measured }) => measured[name] !== undefined));
  const heads = found.contenders.map(({ name }) => html`<th scope="col">${name}</th>`);
  return html`<div ${SCROLLING}><table class="cards">
<thead><tr><th scope="col"></th>${heads}<th scope="col"></th></tr></thead>
<tbody>${lines.map(([name, words, write]) => {
    const cells = cellsOf(found, name, write).map((cell, i) => html`<td data-label="${found.contenders[i]!.name}">${cell}</td>`);
    return html`<tr><th scope="row">${words}</th>${cells}<td class="quiet">${directionOf(measurementOf(name))}</td></tr>`;
  })}</tbody>
</table></div>`;
}

function article(columns: readonly AnswerColumn[], prompt: ComparedPrompt): Html {
  const { row, outcomes } = prompt;
  const turns = row.prompt.map((turn) => (row.prompt.length === 1 ? said(turn) : `${turn.role}: ${said(turn)}`)).join('\n');
  return html`<article class="pair"><p class="prompt text"><span class="id">${row.id ?? row.source.line}</span> ${turns}</p>
<div class="compared">${columns.map(({ name, contender, first, of }) => (
    side(name, of(prompt), first ? outcomes[contender - 1] : undefined)
  ))}</div></article>`;
}

function side(name: string, { text, finish, rated }: ComparedAnswer, outcome: Outcome | undefined): Html {
  const chip = outcome && html` <span class="chip ${STANDING[outcome]}">${SIGNS[outcome]}</span>`;
  const failure = rated !== undefined && failed(rated);
  const value = rated === undefined || failure ? undefined : `reward ${rated.value.toFixed(3)}`;
  const reason = failure ? rated.detail : rated?.reason;
  const notes = [value, finish === 'length' ? 'cut off' : undefined, reason].filter((note) => note !== undefined && note !== null);
  return html`<div class="side"><h3>${name}${chip}</h3><div class="text">${text}</div>
<p class="reason">${notes.join(' · ')}</p></div>`;
}
