/** Curves over steps. Beside the drawing stand its first and last numbers, and a table for who cannot see it. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { dark } from '../theme.js';
import { number } from '../write.js';
import type { ChartLine } from './chart-line.js';
import { HEIGHT, dataOf, optionsOf } from './chart-options.js';
import { ChartTable } from './chart-table.js';

interface Props {
  readonly title: string;
  /** The good direction. */
  readonly better?: string;
  readonly lines: readonly ChartLine[];
  /** From 0 (none) to below 1. */
  readonly smoothing: number;
  /** Takes the steps that were marked with the mouse; nothing for all of them. */
  readonly zoom?: (from?: number, to?: number) => void;
}

export function Chart({ title, better, lines, smoothing, zoom }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const pointed = useSignal<string | undefined>(undefined);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef<Props['zoom']>(zoom);
  const rest = lines.length === 1 ? ends(lines[0]!) : '';
  latest.current = zoom;
  const said = lines.map((line) => `${line.label} ${ends(line)}`).join('; ');
  // What a chart is made of anew; everything else is only data.
  const shapes = lines.map(({ label, colour, dash, low }) => [label, colour, dash, low !== undefined]);
  const form = JSON.stringify([dark.value, smoothing > 0, shapes]);

  useEffect(() => {
    const node = place.current!;
    const made = new uPlot(optionsOf(lines, smoothing, node.clientWidth, {
      moved: (text) => { pointed.value = text; },
      zoom: (from, to) => latest.current?.(from, to),
    }), dataOf(lines, smoothing), node);
    chart.current = made;
    const watch = new ResizeObserver(() => {
      if (node.clientWidth !== made.width) made.setSize({ width: node.clientWidth, height: HEIGHT });
    });
    watch.observe(node);
    return () => { watch.disconnect(); made.destroy(); };
  }, [form]);
  useEffect(() => { chart.current?.setData(dataOf(lines, smoothing)); }, [lines, smoothing]);

  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b> <span>{pointed.value ?? rest}</span>
        {better && <span class="quiet">{better} is better</span>}
      </figcaption>
      <div class="canvas" ref={place} role="img" aria-label={`${title}: ${said}`} />
      <ChartTable title={title} lines={lines} />
    </figure>
  );
}

/** The first and the last number of a line. */
function ends({ y }: ChartLine): string {
  const known = y.filter((value) => value !== null);
  return known.length === 0 ? 'no numbers' : `${number(known[0])} → ${number(known.at(-1))}`;
}
