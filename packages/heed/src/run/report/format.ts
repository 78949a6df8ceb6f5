/** Numbers as people read them. */
import { clock } from '../progress.js';

/** Three significant digits; `–` for what is not a number. */
export function number(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en-US');
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size !== 0 && size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A share as a percentage. */
export const percent = (value: number): string => (Number.isFinite(value) ? `${Number((100 * value).toFixed(Math.abs(value) < 0.1 && value !== 0 ? 1 : 0))} %` : '–');

/** `peakRssMb` → `peak rss mb`, with the units that we know written out. */
export function words(key: string): string {
  return key.replaceAll(/[_-]+/g, ' ').replaceAll(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase();
}

/** What `…Mb` of a summary counts in, mebibytes of 2²⁰ bytes, as the megabytes of 10⁶ that people are shown everywhere. */
export const megabytes = (mebibytes: number): string => `${number(Math.round((mebibytes * 2 ** 20) / 1e6))} MB`;

/** A summary value, with its unit where the key tells it. */
export function named(key: string, value: unknown): { name: string; text: string } {
  if (typeof value === 'number' && key === 'seconds') return { name: 'time', text: clock(value) };
  if (typeof value === 'number' && /Mb$/.test(key)) return { name: words(key.slice(0, -2)).replace('rss', 'memory'), text: megabytes(value) };
  if (typeof value === 'number') return { name: words(key), text: number(value) };
  return { name: words(key), text: typeof value === 'string' ? value : (JSON.stringify(value) ?? '–') };
}
