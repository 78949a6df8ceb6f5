/** What the page Tokens asks, and what it is told. */

/** A turn of a conversation; beside its text whatever the row has of it, such as calls of tools. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly [more: string]: unknown;
}

/** A model that can be asked: a base, or the adapter of a run on it. */
export interface Speaker {
  /** Names it in requests: `default`, `base:RUN` or `run:RUN`. */
  readonly id: string;
  readonly title: string;
  /** The base's name. */
  readonly base: string;
  /** The folder of the run whose adapter it is. */
  readonly run?: string;
  /** λ of the run's recipe, where its method is CUT. */
  readonly lambda?: number;
}

/** `GET api/speakers` */
export interface Speakers {
  readonly speakers: readonly Speaker[];
  /** What the models are busy with now. */
  readonly doing?: string;
}

/** `POST api/tokens/score` */
export interface ScoreRequest {
  readonly speaker: string;
  /** Ends with the turn that was answered. */
  readonly prompt: readonly Turn[];
  readonly response: string;
  readonly judgment: string;
}

/** A token of a response, with and without the judgment in sight. */
export interface ScoredToken {
  readonly text: string;
  /** log p(token | prompt, tokens before), in nats. */
  readonly logp: number;
  /** log q(token | prompt, judgment, tokens before), in nats. */
  readonly logq: number;
  /** Whether the judgment quotes it. */
  readonly quoted: boolean;
}

/** What `POST api/tokens/score` answers. */
export interface Scored {
  readonly tokens: readonly ScoredToken[];
  readonly speaker: Speaker;
  /** The template that wrote the prompt. */
  readonly template: 'chat' | 'alpaca';
  /** Tokens of the prompt without the judgment, and with it. */
  readonly promptTokens: readonly [plain: number, judged: number];
}

/** A file of rows in the project folder. */
export interface DataFile {
  /** Relative to the project folder, with `/`. */
  readonly file: string;
  readonly bytes: number;
  /** When it was last written, as ISO 8601. */
  readonly changed: string;
}

/** `GET api/files` */
export interface DataFiles {
  /** The newest first. */
  readonly files: readonly DataFile[];
  /** Whether more were found than are listed. */
  readonly more: boolean;
}

/** A row with a judgment: `GET api/tokens/rows?file=&offset=&limit=` gives a page of them. */
export interface JudgedShown {
  /** Its id, else its place in the file. */
  readonly id: string;
  readonly prompt: readonly Turn[];
  readonly response: string;
  readonly judgment: string;
}

/** An answer that a policy gradient learnt from, in pieces of one advantage each. */
export interface CreditShown {
  readonly round: number;
  readonly row: string;
  readonly prompt: string;
  readonly reward: number | null;
  readonly rewards: Readonly<Record<string, number | null>>;
  readonly reason?: string;
  /** Mean over the answer's tokens. */
  readonly advantage: number;
  /** Tokens, or the whole answer where all tokens have one advantage. */
  readonly texts: readonly string[];
  readonly advantages: readonly number[];
}

/** `GET api/tokens/credit?run=&round=&offset=&limit=`: in a round the best answer first. */
export interface CreditPart {
  readonly total: number;
  readonly items: readonly CreditShown[];
  /** The round that is shown, and all there are. */
  readonly round: number;
  readonly rounds: readonly number[];
  /** The largest advantage of the round, in size. */
  readonly largest: number;
  /** Why tokens cannot be told apart. */
  readonly note?: string;
}
