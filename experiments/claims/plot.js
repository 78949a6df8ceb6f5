// @ts-check
// The shares of a task as an SVG of its own, for docs/: the sweep's plot, with colours that a page of Markdown cannot give.
import { PLOT_STYLE, plot } from '../../packages/heed/dist/sweep/plot.js';

const COLOURS = { '--sans': 'system-ui, sans-serif', '--soft': '#6b7280', '--line': '#d9dce1', '--accent': '#2f6fb0' };
const style = Object.entries(COLOURS).reduce((css, [name, value]) => css.replaceAll(`var(${name})`, value), PLOT_STYLE);

const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;

/** @param {Parameters<typeof plot>[0]} lines @param {string} title */
export const figure = (lines, title) =>
  plot(lines, title, { value: percent, difference: percent }).text
    .replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace('>', `><style>${style} .sweep { color: #24292f; background: #fff; }</style>`);
