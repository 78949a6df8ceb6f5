/** Lines as the chart library draws them. */
import uPlot from 'uplot';

import { smooth } from '../smooth.js';
import { number } from '../write.js';
import type { ChartLine } from './chart-line.js';

/** In CSS pixels. */
export const HEIGHT = 200;
/** Charts of one page show the same step under the mouse. */
const together = uPlot.sync('steps');

/** Columns of a line, in the order of its series: where it is thinned its least and greatest, then itself, then smoothed. */
function columnsOf({ y, low, high }: ChartLine, smoothing: number): (number | null)[][] {
  return [...(low && high ? [[...low], [...high]] : []), [...y], ...(smoothing > 0 ? [smooth(y, smoothing)] : [])];
}

/** The numbers of the lines, as the chart library takes them. */
export function dataOf(lines: readonly ChartLine[], smoothing: number): uPlot.AlignedData {
  const tables = lines.map((line): uPlot.AlignedData => [[...line.x], ...columnsOf(line, smoothing)]);
  return tables.length === 1 ? tables[0]! : uPlot.join(tables);
}

/** A colour of the style sheet as the canvas takes it. */
function colourOf(name: string, alpha = 1): string {
  const probe = document.body.appendChild(document.createElement('span'));
  probe.style.color = `rgb(from var(${name}) r g b / ${alpha})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** Room for the longest number beside a chart, in CSS pixels. Its letters are about 7 wide. */
const widthOf = (texts: readonly string[] | null): number =>
  Math.max(52, 18 + 7 * Math.max(0, ...(texts ?? []).map(({ length }) => length)));

interface Told { moved(text: string | undefined): void; zoom(from?: number, to?: number): void }

/** How the lines are drawn, and what is told of the mouse. */
export function optionsOf(
  lines: readonly ChartLine[], smoothing: number, width: number, { moved, zoom }: Told,
): uPlot.Options {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  const shown: { readonly label: string; readonly at: number }[] = [];
  for (const { label, colour, dash, low, x } of lines) {
    const stroke = colourOf(colour);
    const points = { show: x.length <= 60, size: 5, fill: stroke };
    if (low !== undefined) {
      bands.push({ series: [series.length + 1, series.length], fill: colourOf(colour, 0.14) });
      series.push({ width: 0, points: { show: false } }, { width: 0, points: { show: false } });
    }
    shown.push({ label, at: series.length });
    const faint = smoothing > 0;
    series.push(faint
      ? { stroke: colourOf(colour, 0.3), width: 1, dash, points: { show: false } }
      : { stroke, width: 1.75, dash, points });
    if (faint) series.push({ stroke, width: 2, dash, points: { show: false } });
  }
  const soft = colourOf('--soft');
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: soft, grid: { stroke: colourOf('--line'), width: 1 }, ticks: { show: false }, font };
  return {
    width: Math.max(200, width), height: HEIGHT, legend: { show: false }, scales: { x: { time: false } }, series, bands,
    axes: [
      { ...axis, size: 26, values: (_, splits) => splits.map((step) => (Number.isInteger(step) ? step.toLocaleString('en-US') : '')) },
      { ...axis, size: (_, texts) => widthOf(texts), values: (_, splits) => splits.map((value) => number(value)) },
    ],
    cursor: {
      y: false, points: { size: 7 }, sync: { key: together.key }, drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => { zoom(); return null; } },
    },
    hooks: {
      setCursor: [(u) => {
        const { idx } = u.cursor;
        if (idx === null || idx === undefined) return moved(undefined);
        const values = shown.flatMap(({ label, at }) => {
          const value = u.data[at]?.[idx];
          return typeof value === 'number' ? [`${lines.length > 1 ? `${label} ` : ''}${number(value)}`] : [];
        });
        moved(`step ${Math.round(u.data[0][idx]!).toLocaleString('en-US')}: ${values.join(', ')}`);
      }],
      setSelect: [(u) => {
        const { left, width: marked } = u.select;
        if (marked < 4) return;
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        zoom(Math.floor(u.posToVal(left, 'x')), Math.ceil(u.posToVal(left + marked, 'x')));
      }],
    },
  };
}
