/** Questions, and respondents, which answer them: a local model, an endpoint, a person. */
import type { Message } from '../text/template.js';

/** A prompt as a chat. `begun` is the beginning of the answer ("Preferred Response="), which the model continues. */
export interface Question {
  readonly messages: readonly Message[];
  readonly begun?: string;
}

/** A question with answers to choose from. */
export interface ChoiceQuestion extends Question {
  /**
   * Two or more texts, of any number of tokens. Where one begins another ("1" and "10"), the longer one's probability is taken off the
   * shorter.
   */
  readonly answers: readonly string[];
}

/** A question that is answered by a text. */
export interface TextQuestion extends Question {
  readonly maxNewTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  /** Seed of the sampling. The same question with the same seed gets the same answer, where the respondent can promise that. */
  readonly seed: number;
}

/** What an answer took. `cost` is in the currency of the judge's price list; absent where the judge has no price list. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly milliseconds: number;
  readonly cost?: number;
}

/** Why there is no answer: a recorded reason, never a score of 0. */
export interface Failure {
  readonly failure:
    | 'timeout' | 'refused' | 'rate-limit' | 'server-error' | 'bad-response'
    | 'no-logprobs' | 'no-such-answer' | 'too-long' | 'budget' | 'cancelled'
    // A text that cannot be used: no words, no whole sentence, praise and blame at once.
    | 'empty' | 'cut-off' | 'contradiction'
    // A person has not answered yet.
    | 'waiting'
    // A reward that says nothing of this response.
    | 'not-applicable';
  /** In words, without keys or headers. */
  readonly detail: string;
  /** The file in which the question waits for a person, and those with other people's answers. */
  readonly files?: readonly string[];
  /** What the attempt cost. */
  readonly usage?: Usage;
  /** The samples, where none of them gives one of the answers. */
  readonly texts?: readonly string[];
}

/** How likely each of the given answers is. */
export interface ChoiceReply {
  /**
   * log p of each answer given the prompt, in the order of the question. With `source: samples`, the log of the answer's share of those
   * samples that gave one of the answers (−∞ where no sample gave it).
   */
  readonly logprobs: readonly number[];
  /** Probability of all the answers together; absent where the respondent cannot know it. */
  readonly mass?: number;
  readonly source: 'logprobs' | 'samples';
  /** The samples, with `source: samples`. */
  readonly texts?: readonly string[];
  readonly usage: Usage;
}

/** A text that was written. */
export interface TextReply {
  readonly text: string;
  readonly finish: 'stop' | 'length';
  readonly usage: Usage;
}

/** What became of the requests to one server. Requests that were ended by a stop are left out. */
export interface ServerCount {
  readonly url: string;
  /** Requests that it answered, those included that it refused for their content. */
  readonly answered: number;
  /** Requests that it put off: it asked for a pause. */
  readonly putOff: number;
  readonly failed: number;
}

/** Answers questions. Replies come in the order of the questions. A question that fails does not stop the others. */
export interface Respondent {
  /** Names the respondent and its weights: part of the key under which replies are cached. */
  readonly name: string;
  /** The respondent keeps its answers itself, and they may be corrected. So they are read anew each time, and are not cached. */
  readonly keepsOwn?: true;
  choose(questions: readonly ChoiceQuestion[], hooks?: AskHooks): Promise<readonly (ChoiceReply | Failure)[]>;
  write(questions: readonly TextQuestion[], hooks?: AskHooks): Promise<readonly (TextReply | Failure)[]>;
  /** What became of the requests to each of its servers so far. Only a respondent with servers has it. */
  servers?(): readonly ServerCount[];
  /** Is called before the first question with what earlier runs spent on this respondent. Only a respondent with a budget has it. */
  spentBefore?(spent: Pick<Usage, 'promptTokens' | 'completionTokens'>): void;
  /** Frees the memory that is needed only while answering. Absent where there is none. */
  rest?(): Promise<void>;
  close(): Promise<void>;
}

/** How a caller follows questions that are being answered, and stops them. */
export interface AskHooks {
  /** Takes each reply as soon as it is there, with the index of its question. */
  onReply?(index: number, reply: ChoiceReply | TextReply | Failure): void;
  readonly signal?: AbortSignal;
}

/** Whether a reply says why there is none. */
export const failed = (reply: object): reply is Failure => 'failure' in reply;

/** How many failures there are, by reason. */
export function reasonsOf(failures: readonly { readonly failure: string }[]): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const { failure } of failures) reasons[failure] = (reasons[failure] ?? 0) + 1;
  return reasons;
}
