/** What the pages Label and Judges ask, and what they are told. Types alone. */
import type { LabelSet, Said, Task } from '../../feedback/annotation.js';
import type { Estimate } from '../../run/statistics.js';
import type { Message } from '../../text/template.js';

export type { LabelSet, MarkedSpan, Said, Task } from '../../feedback/annotation.js';
export type { Message } from '../../text/template.js';

/** How far one person is. */
export interface PersonProgress {
  readonly who: string;
  readonly given: number;
  readonly skipped: number;
  /** Median seconds of the last items. */
  readonly pace?: number;
}

/** A set of items with who is how far. */
export interface LabelSetLine extends LabelSet {
  readonly items: number;
  readonly people: readonly PersonProgress[];
}

/** A run whose judge is people. */
export interface WaitingRun {
  readonly run: string;
  /** The file of its questions, relative to the project folder. */
  readonly questions: string;
  readonly total: number;
  readonly open: number;
  /** The command that goes on with it, to be given in `folder`. */
  readonly command: string;
  readonly folder: string;
}

/** `GET api/label` */
export interface LabelHome {
  /** The database, relative to the project folder. */
  readonly store: string;
  readonly sets: readonly LabelSetLine[];
  readonly waiting: readonly WaitingRun[];
  readonly files: readonly string[];
}

/** `GET api/label/look?file=&second=`: what the files hold to be labelled. */
export interface LabelLook {
  readonly tasks: readonly { readonly task: Task; readonly items: number }[];
  /** What was left out, and why other tasks do not fit. */
  readonly notes: readonly string[];
}

/** An item as it is shown: blind, answers in the order of showing. */
export interface ShownItem {
  readonly place: number;
  readonly row?: string;
  readonly prompt: readonly Message[];
  readonly responses: readonly string[];
  readonly answers?: readonly string[];
  readonly begun?: string;
  /** What this person said of it; `choice` and `spans` are of the order of showing: 0 is left. */
  readonly said?: Said;
  readonly state?: 'given' | 'skipped';
  readonly draft?: Said;
}

/** `GET api/label/item?set=&who=&place=`, and the answer to everything that is said. */
export interface LabelStep {
  readonly set: LabelSetLine;
  /** Absent where nothing is left. */
  readonly item?: ShownItem;
}

/** Agreement in one thing: the verdict, or a principle. */
export interface AgreementShown {
  readonly what: string;
  readonly alpha?: Estimate & { readonly distance: string };
  /** Items that two people or more have judged. */
  readonly both: number;
  readonly pairs: readonly { readonly a: string; readonly b: string; readonly n: number; readonly kappa?: number; readonly same: number }[];
}

/** `GET api/label/results?set=&reveal=` */
export interface LabelResults {
  readonly set: LabelSetLine;
  readonly agreement: readonly AgreementShown[];
  /** Of pairs: how often the answer that was shown first (left) was chosen, over all votes that were no tie. */
  readonly place?: { readonly first: number; readonly n: number; readonly p: number };
  /** How often each verdict was given. */
  readonly counts: readonly { readonly name: string; readonly n: number }[];
  /** Mean score by principle. */
  readonly scores: readonly { readonly name: string; readonly value: Estimate }[];
  /** Of pairs, where asked for: who won. */
  readonly outcome?: {
    readonly models: readonly [string, string];
    readonly wins: readonly [number, number];
    readonly ties: number;
    /** (wins + ½ ties) / n of the first, over items; people of one item are averaged. */
    readonly rate: Estimate;
    /** Two-sided sign test, ties left out. */
    readonly p: number;
  };
  readonly rows: readonly { readonly kind: string; readonly rows: number; readonly leftOut: Readonly<Record<string, number>> }[];
}

/** The answer to the same where a large set is counted for the first time: it is asked again. */
export interface LabelCounting {
  readonly set: LabelSetLine;
  /** Items. */
  readonly counting: { readonly done: number; readonly of: number };
}

/** An item on which people differ. */
export interface Disagreement {
  readonly place: number;
  readonly prompt: readonly Message[];
  readonly responses: readonly string[];
  /** What each said, in words; answers are A and B in the order of `responses`. */
  readonly said: readonly { readonly who: string; readonly verdict: string; readonly why?: string }[];
}

/** `POST api/label/export` */
export interface Exported { readonly file: string; readonly rows: number; readonly leftOut: Readonly<Record<string, number>> }
