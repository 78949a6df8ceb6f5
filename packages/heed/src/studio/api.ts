/** What the page of the studio asks, and what it is told. Types alone: the page and the server are compiled by themselves. */

/** `stopping`: asked to stop, and saving. `stopped`: not ended, and no process works on it. `failed`: the same, and its log says why. */
export type RunStatus = 'running' | 'stopping' | 'ended' | 'stopped' | 'failed';

/** A number; with its 95 % interval and the count of observations where they were measured. */
export interface Value {
  readonly mean: number;
  readonly low?: number;
  readonly high?: number;
  readonly n?: number;
}

/** One measurement on held-out rows. */
export interface Measurement {
  readonly name: string;
  /** The name in words. */
  readonly title: string;
  readonly better?: 'higher' | 'lower';
  /** A share of 1, shown in percent. */
  readonly share?: boolean;
  readonly before?: Value;
  readonly after?: Value;
  /** The paired change, where it was measured. */
  readonly change?: Value;
  /** What before and after say together, in a sentence. */
  readonly says?: string;
}

/** A run in the list. */
export interface RunLine {
  /** Its folder, relative to the project folder, with `/`; '.' where that is the run itself. It names the run in every request. */
  readonly run: string;
  readonly job: Job;
  /** The method or the labeler. */
  readonly method?: string;
  readonly model?: string;
  readonly status: RunStatus;
  /** Why it failed, where its log says so. */
  readonly reason?: string;
  /** Optimizer steps that are logged. */
  readonly steps: number;
  /** The newest loss. */
  readonly loss?: number;
  /** The curve beside the name: of the reward where there is one, else of the loss; at most 60 points, oldest first. */
  readonly spark: readonly number[];
  readonly sparkOf?: string;
  /** The chief measurement on held-out rows. */
  readonly heldOut?: Measurement;
  /** When the run began, as ISO 8601. */
  readonly started: string;
  /** From the beginning to the newest line, or to now; in seconds. */
  readonly seconds: number;
  readonly report: boolean;
}

export type Job = 'train' | 'align' | 'label' | 'control';

/** `GET api/runs` */
export interface RunList {
  /** The project folder's own name. */
  readonly project: string;
  readonly runs: readonly RunLine[];
  /** Folders beneath the project that were not looked into, because there are too many. */
  readonly unseen: number;
  /** Runs in the bin. */
  readonly binned: number;
}

/** An entry of a summary, in words. */
export interface Fact { readonly name: string; readonly lines: readonly string[] }

/** `GET api/run?run=` */
export interface RunDetail {
  readonly line: RunLine;
  readonly recipe: string;
  readonly measurements: readonly Measurement[];
  /** What else the summary says, in words. */
  readonly facts: readonly Fact[];
  /** What the summary calls its chief measurement. */
  readonly metric?: string;
  /** Why the run cannot go on; absent where it can. */
  readonly resumeBlocked?: string;
  readonly counts: SampleCounts;
}

/** Lines that the page can ask for. */
export interface SampleCounts {
  readonly answers: number;
  readonly heatmaps: number;
  readonly rollouts: number;
}

/** One curve. Beyond a number of points neighbouring ones are one: their mean, with the least and the greatest. */
export interface Curve {
  readonly name: string;
  readonly title: string;
  readonly better?: 'higher' | 'lower';
  /** Optimizer steps. */
  readonly x: number[];
  /** null where the value is not a finite number. */
  readonly y: (number | null)[];
  readonly low?: (number | null)[];
  readonly high?: (number | null)[];
}

/** `GET api/run/curves?run=&from=&to=&points=` */
export interface Curves {
  /** Lines of metrics.jsonl that the curves rest on: where `api/run/events` goes on. */
  readonly lines: number;
  readonly steps: number;
  readonly curves: readonly Curve[];
}

/**
 * `GET api/run/events?run=&after=`: server-sent events. `rows` has as id the number of lines of metrics.jsonl that were sent by then, and
 * as data new lines; `more` says that there are so many that the curves are better asked for again; `state` says how the run is.
 */
export interface RunState {
  readonly status: RunStatus;
  readonly steps: number;
  readonly counts: SampleCounts;
  /** The workers of a run on a cluster, their rates while it runs, and what was lost with them, in words. */
  readonly cluster?: string;
}

/** An answer to a prompt before and after training. */
export interface AnswerPair {
  readonly id: string;
  readonly prompt: string;
  readonly before?: Answered;
  readonly after?: Answered;
  readonly change: 'better' | 'worse' | 'same' | 'open';
}

/** An answer with what the judge found. */
export interface Answered {
  readonly text: string;
  readonly standing: 'good' | 'bad' | 'open';
  /** The verdict in words. */
  readonly verdict?: string;
  readonly reason?: string;
}

/** A page of a list. */
export interface Part<T> {
  readonly total: number;
  readonly items: readonly T[];
}

/** `GET api/run/answers?run=&change=&offset=&limit=`: those that got worse first. `total` counts those with the change asked for. */
export interface AnswerPart extends Part<AnswerPair> {
  readonly counts: Readonly<Record<AnswerPair['change'], number>>;
}

/** A response with log q/p of each token, as CUT saw it. */
export interface Heatmap {
  readonly id: string;
  readonly step?: number;
  readonly prompt: string;
  readonly judgment?: string;
  readonly tokens: readonly string[];
  readonly logRatio: readonly (number | null)[];
  readonly flagged: readonly boolean[];
}

/** An answer that a policy gradient learnt from. */
export interface RolloutShown {
  readonly round: number;
  readonly row: string;
  readonly prompt: string;
  readonly completion: string;
  readonly reward: number | null;
  readonly advantage: number;
  readonly reason?: string;
  readonly rewards?: Readonly<Record<string, number | null>>;
}

/**
 * What is compared: the answers of a run after training, `runs/cut`, or those of its model before training, `before:runs/cut`. In an
 * address each is a parameter `side`; the first is the baseline.
 */
export type Side = string;

/** `GET api/compare?side=&side=…` */
export interface Comparison {
  readonly sides: readonly { readonly side: Side; readonly line: RunLine; readonly metric?: string }[];
  readonly rows: readonly ComparedMeasurement[];
  /** Keys of the recipes that differ, with the value of each side. */
  readonly recipe: readonly { readonly key: string; readonly values: readonly string[] }[];
  /** Prompts that all sides answered. */
  readonly prompts: number;
  /** What the reader should know of the comparison. */
  readonly notes: readonly string[];
}

/** One measurement of all sides. */
export interface ComparedMeasurement extends Pick<Measurement, 'name' | 'title' | 'better' | 'share'> {
  readonly cells: readonly {
    readonly value?: Value;
    /** The paired difference from the baseline, over the prompts that both answered. */
    readonly against?: Value;
  }[];
}

/** `all`: those with a difference in the verdict first. `different`: whose texts differ. */
export type ComparedShow = 'all' | 'different' | 'wins' | 'losses';

/** `GET api/compare/answers?side=&side=…&show=&offset=&limit=` */
export interface ComparedAnswers extends Part<ComparedAnswer> {
  readonly counts: Readonly<Record<ComparedShow, number>>;
}

/** A prompt that every side answered. */
export interface ComparedAnswer {
  readonly id: string;
  readonly prompt: string;
  readonly answers: readonly (Answered & { readonly outcome: AnswerPair['change'] })[];
}

/** A run that was deleted. */
export interface Binned {
  readonly id: string;
  /** Where it was, relative to the project folder. */
  readonly run: string;
  readonly deleted: string;
}

/** A run that the studio started. */
export interface StartedJob {
  readonly id: string;
  /** `heed train …` */
  readonly command: string;
  readonly run: string;
  readonly started: string;
  readonly status: 'running' | 'ended' | 'failed' | 'stopped';
  /** The last lines of its output. */
  readonly log: string;
}

/** The answer to a request that was refused. */
export interface Refusal {
  readonly error: { readonly message: string; readonly hints?: readonly string[]; readonly code?: string | null };
}

export type * from './api/chat.js';
export type * from './api/data.js';
export type * from './api/judges.js';
export type * from './api/label.js';
export type * from './api/tokens.js';
