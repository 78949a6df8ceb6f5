/** One model's side of a chat: it remembers what was said, and knows how much room is left. */
import type { Generator } from '../generate/generator.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Model } from '../model/load.js';
import type { Message } from '../text/template.js';

/** Why an answer ended: by itself, at --max-tokens, at the end of the context or by Ctrl-C; `full`: there was no room for an answer. */
export type Finish = 'stop' | 'length' | 'context' | 'interrupted' | 'full';

export interface Reply {
  readonly text: string;
  readonly tokens: number;
  readonly finish: Finish;
  /** Tokens of everything before the answer. */
  readonly promptTokens: number;
}

export interface SayHooks {
  onText?(delta: string): void;
  onTokens?(tokens: number): void;
  readonly signal?: AbortSignal;
}

export interface Conversation {
  /** Answers a turn and remembers both. A turn that finds no room in the context is not remembered. */
  say(text: string, hooks?: SayHooks): Promise<Reply>;
  /** Forgets everything but the system message. */
  reset(): void;
}

export interface ConversationOptions {
  readonly sampling: SamplingOptions;
  readonly system?: string;
}

export function createConversation(
  { template, architecture: { context } }: Pick<Model, 'template' | 'architecture'>, generator: Generator,
  { sampling, system }: ConversationOptions,
): Conversation {
  const start: readonly Message[] = system === undefined ? [] : [{ role: 'system', content: system }];
  let history = start;
  let turn = 0;
  return {
    async say(content, { onText, onTokens, signal } = {}) {
      // The alpaca template takes a single turn: there each question stands for itself.
      const messages: readonly Message[] = [...(template.name === 'alpaca' ? start : history), { role: 'user', content }];
      const prompt = template.prompt(messages);
      const room = context - prompt.length;
      if (room < 1) return { text: '', tokens: 0, finish: 'full', promptTokens: prompt.length };
      const maxNewTokens = Math.min(sampling.maxNewTokens, room);
      let said = '';
      let tokens = 0;
      let finish: Finish;
      try {
        const [completion] = await generator.generate([{ prompt, row: turn++ }], { ...sampling, maxNewTokens }, {
          onToken: (_row, _sample, delta) => { said += delta; onText?.(delta); },
          onProgress: (progress) => { tokens = progress.tokens; onTokens?.(tokens); },
          signal,
        });
        finish = completion!.finish === 'length' && maxNewTokens < sampling.maxNewTokens ? 'context' : completion!.finish;
      } catch (error) {
        if (signal?.aborted !== true) throw error;
        finish = 'interrupted';
      }
      history = [...messages, { role: 'assistant', content: said }];
      return { text: said, tokens, finish, promptTokens: prompt.length };
    },
    reset() {
      history = start;
    },
  };
}

interface Limits {
  readonly maxTokens: number;
  readonly context: number;
}

/** Tells the user how an answer ended; undefined where it ended by itself. */
export function remark({ finish, promptTokens }: Reply, { maxTokens, context }: Limits): string | undefined {
  if (finish === 'length') return `cut off at --max-tokens ${maxTokens}`;
  if (finish === 'interrupted') return 'stopped';
  if (finish === 'context') return `cut off: the context of ${context} tokens is full; /reset begins a new conversation`;
  if (finish === 'stop') return undefined;
  return `no room to answer: the conversation has ${promptTokens} tokens, and the context is ${context}; ` +
    'that turn is forgotten, /reset begins a new conversation';
}
