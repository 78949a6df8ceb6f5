import { useSignal } from '@preact/signals';

import { number } from '../write.js';
import type { ChartLine } from './chart-line.js';

/** Rows of the table. */
const MOST = 12;

/** Some points of a chart as numbers. */
export function ChartTable({ title, lines }: { readonly title: string; readonly lines: readonly ChartLine[] }) {
  const open = useSignal(false);
  return (
    <details onToggle={(event) => { open.value = event.currentTarget.open; }}>
      <summary>Numbers</summary>
      {open.value && (
        <div class="scroll">
          <table>
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col" class="num">step</th>
                {lines.map(({ label }) => <th key={label} scope="col" class="num">{label}</th>)}
              </tr>
            </thead>
            <tbody>
              {stepsOf(lines).map((step) => (
                <tr key={step}>
                  <th scope="row" class="num">{Math.round(step).toLocaleString('en-US')}</th>
                  {lines.map((line) => <td key={line.label} class="num">{number(valueAt(line, step))}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** The value at a step, or at the last one before it. */
const valueAt = ({ x, y }: ChartLine, step: number): number | null | undefined => y[x.findLastIndex((one) => one <= step)];

/** Steps of the longest line, evenly apart, with its first and its last. */
function stepsOf(lines: readonly ChartLine[]): number[] {
  const x = lines.reduce<readonly number[]>((longest, line) => (line.x.length > longest.length ? line.x : longest), []);
  const count = Math.min(MOST, x.length);
  return Array.from({ length: count }, (_, i) => x[count === 1 ? 0 : Math.round((i * (x.length - 1)) / (count - 1))]!);
}
