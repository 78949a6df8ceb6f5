/** Numbers as people read them. */
import { clock } from '../numbers.js';

const RAISED = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
const raised = (exponent: number): string => `⁻${[...String(-exponent)].map((digit) => RAISED[Number(digit)]).join('')}`;

/** Three significant digits, two of a small number; `–` for what is not a number. Below a millionth as `5.2 × 10⁻⁸`. */
export function number(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en-US');
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 1e-6 && size < 1e-3) return String(Number(value.toPrecision(2)));
  if (size !== 0 && size < 1e-6) {
    const [digits, exponent] = value.toExponential(1).split('e') as [string, string];
    return `${digits} × 10${raised(Number(exponent))}`;
  }
  return String(Number(value.toPrecision(3)));
}

/** A share as a percentage. */
export function percent(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) < 0.1 && value !== 0 ? 1 : 0;
  return `${Number((100 * value).toFixed(digits))} %`;
}

/** `peakRssMb` → `peak rss mb`. */
export function words(key: string): string {
  return key.replaceAll(/[_-]+/g, ' ').replaceAll(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase();
}

/** Mebibytes (2²⁰ bytes), in which `…Mb` of a summary counts, as the megabytes (10⁶ bytes) that people are shown everywhere. */
export const megabytes = (mebibytes: number): string => `${number(Math.round((mebibytes * 2 ** 20) / 1e6))} MB`;

/** A value of a summary as text; the parts of an object follow each other. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return number(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'object' || value === null) return '–';
  if (Array.isArray(value) && value.length > 0) return value.map(text).join(', ');
  if (Object.keys(value).length === 0) return 'none';
  const { mean, low, high } = value as Readonly<Record<string, unknown>>;
  if ([mean, low, high].every((one) => typeof one === 'number')) return `${number(mean)} (${number(low)} to ${number(high)})`;
  return Object.entries(value).map(([name, part]) => `${words(name)} ${text(part)}`).join(', ');
}

/** A summary value, with its unit where the key tells it. */
export function named(key: string, value: unknown): { name: string; text: string } {
  if (typeof value === 'number' && key === 'seconds') return { name: 'time', text: clock(value) };
  if (typeof value === 'number' && key.endsWith('Mb')) {
    return { name: words(key.slice(0, -2)).replace('rss', 'memory'), text: megabytes(value) };
  }
  return { name: words(key), text: text(value) };
}
