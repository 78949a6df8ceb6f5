/** A stream of an answer that is kept when it ends, in whatever way. */
import type { LanguageModelV3ResponseMetadata, LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { withId } from './id.js';
import { createAnswerText } from './text.js';

/** What is known of an answer at its end. */
export interface Ended {
  readonly id: string;
  /** @throws NotText */
  completion(): string;
  readonly finish: string;
  /** What the provider says of its response. */
  readonly response: LanguageModelV3ResponseMetadata | undefined;
}

/** What is done with the answer. */
export interface Tap {
  readonly id: string;
  /** @returns whether it was kept */
  keep(answer: Omit<Ended, 'id'>): Promise<boolean>;
  /** Aborted when the app wants no more of it. */
  readonly signal: AbortSignal | undefined;
}

/** The same stream, its text parts and its end with the answer's id. The answer is kept before its last part is given. */
export function tapped(
  stream: ReadableStream<LanguageModelV3StreamPart>, { id, keep, signal }: Tap,
): ReadableStream<LanguageModelV3StreamPart> {
  const reader = stream.getReader();
  const answer = createAnswerText();
  let response: LanguageModelV3ResponseMetadata | undefined;
  let begun = false;
  let ended: Promise<boolean> | undefined;

  /** Keeps the answer, once. One that ends before its first word was none. */
  const end = (finish: string, whole: boolean): Promise<boolean> => {
    signal?.removeEventListener('abort', stopped);
    ended ??= whole || begun ? keep({ completion: () => answer.completion(), finish, response }) : Promise.resolve(false);
    return ended;
  };
  // Who aborts may read no further, so that nothing else would tell.
  const stopped = (): void => void end('aborted', false);
  signal?.addEventListener('abort', stopped, { once: true });

  const passed = async (part: LanguageModelV3StreamPart): Promise<LanguageModelV3StreamPart> => {
    switch (part.type) {
      case 'response-metadata':
        response = part;
        return part;
      case 'text-delta':
        answer.addText(part.delta);
        return part;
      case 'tool-call':
      case 'file':
        answer.add(part);
        return part;
      case 'text-start':
      case 'text-end':
        begun = true;
        return { ...part, providerMetadata: withId(part.providerMetadata, id) };
      case 'finish': {
        const kept = await end(answer.finish(part.finishReason), true);
        return kept ? { ...part, providerMetadata: withId(part.providerMetadata, id) } : part;
      }
      default:
        return part;
    }
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(await passed(value));
        await end('error', false);
        controller.close();
      } catch (error) {
        await end(signal?.aborted === true ? 'aborted' : 'error', false);
        controller.error(error);
      }
    },
    async cancel(reason) {
      await end('aborted', false);
      await reader.cancel(reason);
    },
  });
}
