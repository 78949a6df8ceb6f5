/** Numbers in the lines that commands print. */
import type { Estimate } from './statistics.js';

/** A share as a percentage: 0.25 is `25 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** The same to a tenth: `25.0 %`. */
export const finePercent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** An estimate with its interval: `25 %  [20 %, 31 %]`. */
export const withInterval = ({ mean, low, high }: Estimate, show: (x: number) => string): string =>
  `${show(mean)}  [${show(low)}, ${show(high)}]`;

/** Bytes: `1.50 GB`, `20 MB`. */
export const size = (bytes: number): string => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${Math.round(bytes / 1e6)} MB`);

/** `1:05`, `2:10:00`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
