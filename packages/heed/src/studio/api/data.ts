/** What the page Data asks, and what it is told. */

/** What the reader of a log says of it; the rest is recognised. `POST api/data/look`, `api/data/rows` and `api/data/write` take it. */
export interface LookRequest {
  /** Relative to the project folder. */
  readonly file: string;
  /** Role → column. */
  readonly columns?: Readonly<Record<string, string>>;
  /** What values of the vote say. */
  readonly values?: Readonly<Record<string, 'good' | 'bad' | 'none'>>;
  readonly ignore?: readonly string[];
  readonly comments?: 'judgments' | 'faults';
  readonly method?: string;
  /** What the split keeps together. */
  readonly group?: 'conversation' | 'user' | 'date' | 'prompt';
  /** A base of `api/speakers`. */
  readonly speaker: string;
}

/** A column of a log. */
export interface LookColumn {
  readonly name: string;
  readonly form: string;
  readonly filled: number;
  /** What it was taken for, and how that was known. */
  readonly role?: string;
  readonly by?: 'given' | 'name' | 'elimination';
  /** The commonest values; `says` where it is the vote. */
  readonly common: readonly { readonly value: string; readonly rows: number; readonly says?: 'good' | 'bad' | 'none' | 'unknown' }[];
}

/** Rows with the same thing to say about them. */
export interface Remarked {
  readonly name: string;
  readonly rows: number;
  /** "lines 3, 8 and 4 more". */
  readonly lines: string;
  readonly advice?: string;
}

/** What would be made of a log. */
export interface LookPlan {
  readonly fits: readonly { readonly method: string; readonly kind: string; readonly rows: number; readonly why: string }[];
  readonly method: string;
  readonly kind: string;
  readonly group: 'conversation' | 'user' | 'date' | 'prompt';
  readonly train: number;
  readonly heldOut: number;
  /** Medians, in words. */
  readonly words: { readonly good?: number; readonly bad?: number };
  readonly recipe: string;
  /** What the doctor counts and finds in the rows. */
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly Remarked[];
}

export interface Problem {
  readonly message: string;
  readonly hints: readonly string[];
}

/** A log as it is understood. */
export interface Look {
  readonly file: string;
  readonly rows: number;
  readonly columns: readonly LookColumn[];
  /** What a column can be. */
  readonly roles: readonly { readonly role: string; readonly says: string }[];
  readonly questions: readonly {
    readonly about: string; readonly text: string; readonly guess: string;
    readonly choices: readonly { readonly value: string; readonly says: string }[];
  }[];
  readonly leftOut: readonly Remarked[];
  /** Absent where nothing can be planned; `problem` says why. */
  readonly plan?: LookPlan;
  readonly problem?: Problem;
}

/** A sequence of tokens as a model sees it; all lists are of one length. */
export interface SeenTokens {
  readonly name: string;
  readonly texts: readonly string[];
  readonly supervised: readonly boolean[];
  /** How many of the tokens are the prompt. */
  readonly promptTokens: number;
}

/** A row as a model sees it, or why it cannot be learned from. */
export interface SeenRow {
  /** "line 3" of the log. */
  readonly where: string;
  readonly numbers: Readonly<Record<string, string>>;
  readonly sequences: readonly SeenTokens[];
  readonly problem?: string;
}

/** What `POST api/data/rows` answers. */
export interface SeenRows {
  readonly total: number;
  readonly rows: readonly SeenRow[];
  readonly template: 'chat' | 'alpaca';
  /** Tokens of prompt and response together, over the rows that were counted. */
  readonly lengths?: {
    readonly rows: number; readonly median: number; readonly p95: number; readonly max: number;
    /** The most that the model reads. */
    readonly context: number;
  };
}

/** What `POST api/data/write` answers: the files are there, and what training will take. */
export interface Prepared {
  /** Relative to the project folder. */
  readonly files: readonly string[];
  readonly recipe: string;
  readonly run: string;
  /** In words. */
  readonly foreseen: readonly string[];
}
