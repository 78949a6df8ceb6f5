/** Questions, and who answers them: a local model, an endpoint, a person. */
import type { Message } from '../text/template.js';

/** A prompt as a chat; `begun` is how the answer already begins ("Preferred Response="), which a model continues. */
export interface Question {
  readonly messages: readonly Message[];
  readonly begun?: string;
}

/** Which of some given answers? */
export interface ChoiceQuestion extends Question {
  /**
   * Two or more texts, of any number of tokens. Where one begins another ("1" and "10"), the longer one's probability is taken off the
   * shorter.
   */
  readonly answers: readonly string[];
}

/** Say something. */
export interface TextQuestion extends Question {
  readonly maxNewTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  /** Names the randomness: the same question with the same seed gets the same answer, where the judge can promise that. */
  readonly seed: number;
}

/** What an answer took. `cost` is in the currency of the judge's price list; absent where it has none. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly milliseconds: number;
  readonly cost?: number;
}

/** Why there is no answer: a recorded reason, never a score of 0. */
export interface Failure {
  readonly failure:
    | 'timeout'
    | 'refused'
    | 'rate-limit'
    | 'server-error'
    | 'bad-response'
    | 'no-logprobs'
    | 'no-such-answer'
    | 'too-long'
    | 'budget'
    | 'cancelled'
    // Of words that cannot be used: none, no whole sentence, praise and blame at once.
    | 'empty' | 'cut-off' | 'contradiction'
    // Of a reward that says nothing of this response.
    | 'not-applicable';
  /** In words, without keys or headers. */
  readonly detail: string;
  /** What was paid all the same. */
  readonly usage?: Usage;
  /** What was said instead, where samples gave none of the answers. */
  readonly texts?: readonly string[];
}

/** What was found out about given answers. */
export interface ChoiceReply {
  /**
   * log p of each answer given the prompt, in the order of the question; with `source: samples`, log of its share of the samples that gave
   * any of them (−∞ for none).
   */
  readonly logprobs: readonly number[];
  /** Probability that the judge gave to all of the answers together; absent where it cannot be known. */
  readonly mass?: number;
  readonly source: 'logprobs' | 'samples';
  /** With `source: samples`: each sample as it was said. */
  readonly texts?: readonly string[];
  readonly usage: Usage;
}

/** A text that was written. */
export interface TextReply {
  readonly text: string;
  readonly finish: 'stop' | 'length';
  readonly usage: Usage;
}

/** Someone who can be asked. Replies come in the order of the questions; one that fails does not stop the others. */
export interface Respondent {
  /** Names who it is and with which weights: part of the label store's key. */
  readonly name: string;
  /** Keeps its answers itself, where they may be corrected: they are read anew each time and stay out of the label store. */
  readonly keepsOwn?: true;
  choose(questions: readonly ChoiceQuestion[], hooks?: AskHooks): Promise<readonly (ChoiceReply | Failure)[]>;
  write(questions: readonly TextQuestion[], hooks?: AskHooks): Promise<readonly (TextReply | Failure)[]>;
  /** Told before the first question what this respondent was asked for by earlier runs; only one that has a budget wants to know. */
  spentBefore?(spent: Pick<Usage, 'promptTokens' | 'completionTokens'>): void;
  close(): Promise<void>;
}

/** How a caller follows and stops the asking. */
export interface AskHooks {
  /** Each reply as soon as it is there, with its question's index. */
  onReply?(index: number, reply: ChoiceReply | TextReply | Failure): void;
  readonly signal?: AbortSignal;
}

/** Whether a reply says why there is none. */
export const failed = (reply: object): reply is Failure => 'failure' in reply;
