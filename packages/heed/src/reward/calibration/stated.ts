/** What a response answers, and how sure it says to be. */

/** A confidence as it is written. */
export interface Stated {
  /** The answer without the words about confidence. */
  readonly answer: string;
  /** The number as it stands there; undefined where no confidence is stated. */
  readonly amount?: number;
  /** The unit that is written behind it. */
  readonly unit?: '%' | '/10' | '/100';
  /** Where the statement stands in the response. */
  readonly start: number;
  readonly end: number;
  readonly quote: string;
}

const NUMBER = String.raw`(?<amount>-?\d*\.?\d+)\s*(?<unit>%|percent|/\s*100?\b|out of 100?\b)?`;

/** The ways in which a confidence is stated; of several statements the last one counts. */
const STATEMENTS = [
  String.raw`<confidence>\s*${NUMBER}\s*</confidence>`,
  String.raw`\bconfidence(?:\s+(?:level|score))?(?:[\s:=*—–]|is\b|of\b|-(?![\d.]))*${NUMBER}`,
  String.raw`\bI(?:['’]m|\s+am)\s+(?:about\s+)?${NUMBER}\s*(?:sure|certain|confident)\b`,
].map((pattern) => new RegExp(pattern, 'gi'));

const UNITS: Readonly<Record<string, Stated['unit']>> = {
  '%': '%', percent: '%', '/10': '/10', '/100': '/100', outof10: '/10', outof100: '/100',
};

/**
 * Reads the last stated confidence (`Confidence: 0.8`, `<confidence>0.8</confidence>`, `I am 80% sure`) and the answer: what stands in
 * `<answer>…</answer>`, else behind the last `Answer:`, else all that stands before the statement.
 */
export function readStated(response: string): Stated {
  const last = STATEMENTS.flatMap((pattern) => [...response.matchAll(pattern)]).sort((a, b) => a.index - b.index).at(-1);
  const rest = last === undefined ? response : response.slice(0, last.index);
  const answer = /<answer>([^]*?)<\/answer>/i.exec(response)?.[1] ?? [...rest.matchAll(/\banswer\s*:\s*([^\n]+)/gi)].at(-1)?.[1] ?? rest;
  if (last === undefined) return { answer: answer.trim(), start: response.length, end: response.length, quote: '' };
  return {
    answer: answer.trim().replace(/[.,;]*\s*(?:my|and my|with)?$/i, '').trim(),
    amount: Number(last.groups!['amount']),
    unit: UNITS[(last.groups!['unit'] ?? '').toLowerCase().replaceAll(/\s/g, '')],
    start: last.index, end: last.index + last[0].length, quote: last[0],
  };
}

/** A stated confidence as a probability: 0.8, 80 %, 8/10; undefined where none is stated, or it lies outside [0, 1]. */
export function asProbability({ amount, unit }: Stated): number | undefined {
  if (amount === undefined) return undefined;
  const scale = unit === undefined ? 1 : { '%': 100, '/10': 10, '/100': 100 }[unit];
  const q = amount / scale;
  return q >= 0 && q <= 1 ? q : undefined;
}

/** A stated confidence as a whole number from 0 to 10 (`8`, `8/10`); undefined where it is none. */
export function asTenths({ amount, unit }: Stated): number | undefined {
  if (amount === undefined || (unit !== undefined && unit !== '/10')) return undefined;
  return Number.isInteger(amount) && amount >= 0 && amount <= 10 ? amount : undefined;
}
