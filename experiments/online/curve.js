// @ts-check
// The reward of a loop's own answers, round by round, as an SVG for docs/: a line for each seed.
import { ticksOf } from '../../packages/heed/dist/sweep/plot.js';

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 260, 64, 84, 14, 40];
const COLOURS = ['#2f6fb0', '#b5651d', '#3d8a5a'];

/** A number of the axis: no more digits than its steps need. @param {number} value */
const shown = (value) => `${Number(value.toPrecision(6))}`.replace('-', '−');

/**
 * @param {readonly { seed: number, points: readonly { round: number, reward: number }[] }[]} runs
 * @param {string} title What is plotted, for who cannot see it. It has no mark-up.
 */
export function curve(runs, title) {
  const points = runs.flatMap((run) => run.points);
  const ticks = ticksOf(points.map(({ reward }) => reward));
  const [least, greatest] = [ticks[0], ticks[ticks.length - 1]];
  const last = Math.max(...points.map(({ round }) => round));
  const x = (/** @type {number} */ round) => (LEFT + ((WIDTH - LEFT - RIGHT) * (round - 1)) / Math.max(1, last - 1)).toFixed(1);
  const y = (/** @type {number} */ reward) =>
    (TOP + ((HEIGHT - TOP - BOTTOM) * (greatest - reward)) / (greatest - least || 1)).toFixed(1);
  const rounds = Array.from({ length: last }, (_, i) => i + 1).filter((round) => round === 1 || round === last || round % 5 === 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    '<style>text { font: 13px system-ui, sans-serif; fill: #6b7280; } .grid { stroke: #d9dce1; }',
    '.run { fill: none; stroke-width: 2; }</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff" />`,
    ...ticks.map((tick) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}" />`
      + `<text x="${LEFT - 10}" y="${Number(y(tick)) + 4}" text-anchor="end">${shown(tick)}</text>`),
    ...rounds.map((round) => `<text x="${x(round)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${round}</text>`),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">round</text>`,
    ...runs.map(({ seed, points: own }, i) => {
      const colour = COLOURS[i % COLOURS.length];
      const path = own.map(({ round, reward }) => `${x(round)},${y(reward)}`).join(' ');
      const end = own[own.length - 1];
      // The names of the seeds stand in lines of their own, since curves often end side by side.
      return `<polyline class="run" stroke="${colour}" points="${path}" />`
        + `<circle cx="${x(end.round)}" cy="${y(end.reward)}" r="3" fill="${colour}" />`
        + `<text x="${WIDTH - RIGHT + 14}" y="${TOP + 14 + 18 * i}" style="fill: ${colour}">seed ${seed}</text>`;
    }),
    '</svg>',
  ].join('\n');
}
