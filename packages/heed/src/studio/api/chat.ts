/** What the page Chat asks, and what it is told. */
import type { Turn } from './tokens.js';

/**
 * `POST api/chat`: each model answers the same conversation. The answer is a stream of server-sent events: `text` with a `ChatText`, `done`
 * with a `ChatDone`, `refused` with a `ChatRefused`, each as it comes.
 */
export interface ChatRequest {
  /** Ids of `api/speakers`. */
  readonly speakers: readonly string[];
  /** By speaker, in their order: the conversation as this one had it. Each ends with the same turn of the user. */
  readonly conversations: readonly (readonly Turn[])[];
  readonly maxTokens: number;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  readonly topP?: number;
  readonly seed: number;
}

export interface ChatText { readonly speaker: string; readonly text: string }

export interface ChatDone {
  readonly speaker: string;
  /** Names the answer in feedback. */
  readonly id: string;
  readonly text: string;
  readonly tokens: number;
  /** `stop`: it ended of itself; `length`: it was cut off. */
  readonly finish: 'stop' | 'length';
}

export interface ChatRefused { readonly speaker: string; readonly message: string }

/** `POST api/chat/feedback`; answers as `api/chat/said` does. */
export interface ChatFeedback {
  readonly id: string;
  /** `vote`: true is good; `comment`: what was wrong or right; `demonstration`: the answer as it should have been. */
  readonly metric: 'vote' | 'comment' | 'demonstration';
  readonly value: boolean | string;
}

/** `GET api/chat/said`: what was kept so far. */
export interface ChatKept {
  /** The feedback store, relative to the project folder. */
  readonly file: string;
  readonly answers: number;
  readonly feedback: number;
}
