/** What every judge answers, whoever it is: rules, a local model, an endpoint or a person. */
import type { Message } from '../text/template.js';

/** One place of a response that a judge objects to. */
export interface Finding {
  /** The rule or criterion that is broken. */
  readonly rule: string;
  /** What to quote: the words at fault, or what is missing. */
  readonly quote: string;
  /** Where it stands, in UTF-16 units of the response: `[start, end)`. Empty where something is missing. */
  readonly start: number;
  readonly end: number;
}

/** A judge's answer about one response. */
export interface Verdict {
  readonly satisfied: boolean;
  /** What is wrong, in words that quote the response. Null when satisfied. */
  readonly judgment: string | null;
  readonly findings: readonly Finding[];
  /** 0 (nothing is right) to 1 (satisfied). */
  readonly score: number;
}

/** A prompt and the response to judge. */
export interface Judged {
  readonly prompt: readonly Message[];
  readonly response: string;
}

/** Something that judges responses. Verdicts come in the order of the items. */
export interface Judge {
  readonly name: string;
  judge(items: readonly Judged[]): Promise<Verdict[]>;
}
