// @ts-check
// What the tables of pages are made of.

/** @param {readonly number[]} values */
export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** @param {number} share */
function points(share) {
  const rounded = Math.round(100 * share);
  return `${rounded > 0 ? '+' : ''}${rounded}`.replace('-', '−');
}

/** A change of a share, in points. @param {{ mean: number, low: number, high: number }} estimate */
export const change = ({ mean, low, high }) => `${points(mean)} [${points(low)}, ${points(high)}]`;

/** A change of a number. @param {{ mean: number, low: number, high: number }} estimate */
export function number({ mean, low, high }, digits = 2) {
  const show = (/** @type {number} */ x) => `${x > 0 ? '+' : ''}${x.toFixed(digits)}`.replace('-', '−');
  return `${show(mean)} [${show(low)}, ${show(high)}]`;
}
