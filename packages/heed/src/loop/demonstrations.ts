import { type DataOptions, type LoadedData, loadData } from '../data/load.js';
import type { ConversationRow, PreferenceRow, PromptRow } from '../data/rows.js';
import { at } from '../data/source.js';
import { sameText } from '../data/row.js';
import { UserError } from '../errors.js';
import { partsOf } from '../text/turn.js';
import type { Answered, Taught, Teacher } from './sources/answered.js';

/** A prompt with the answer that somebody gave to it. */
export interface Demonstration {
  readonly prompt: PromptRow;
  readonly response: string;
}

/** The last assistant turn of a conversation as a demonstration, and all before it as its prompt. */
export function demonstrationOf({ source, id, messages }: ConversationRow): Demonstration {
  const last = messages.findLastIndex(({ role, weight }) => role === 'assistant' && weight !== 0);
  const [part] = partsOf(messages[last]!);
  if (part !== undefined) {
    throw new UserError(`${at(source)}: the demonstration has ${part}, and answers are compared by their text alone.`, [
      'Leave the row out, or learn from it with method: sft.',
    ]);
  }
  if (messages.slice(0, last).every(({ role }) => role !== 'user')) {
    throw new UserError(`${at(source)}: the demonstration answers no turn of a user.`, [
      'Each conversation has a prompt before its answer.',
    ]);
  }
  return { prompt: { source, id, prompt: messages.slice(0, last), extra: {} }, response: messages[last]!.content };
}

/** Reads conversations as demonstrations; those that are said to be bad are left out and counted. @throws UserError as `loadData` does */
export async function loadDemonstrations(
  options: DataOptions,
): Promise<{
  readonly demonstrations: readonly Demonstration[]; readonly bad: number;
  readonly skipped: LoadedData<unknown>['skipped']; readonly unused: readonly string[];
}> {
  const { train, skipped, unused = [] } = await loadData(options, 'conversation');
  const good = train.filter(({ satisfied }) => satisfied !== false);
  if (good.length === 0) {
    throw new UserError('The data hold no demonstration: every answer is said to be bad.', ['Leave the column satisfied or label out.']);
  }
  return { demonstrations: good.map(demonstrationOf), bad: train.length - good.length, skipped, unused };
}

/**
 * Self-play fine-tuning (SPIN; Chen et al., ICML 2024, arXiv 2401.01335): the demonstration is preferred to the policy's own answer. An
 * answer that equals its demonstration is no pair: its log-ratios cancel, so it would teach nothing for ever. Equal answers to one prompt
 * are one pair.
 *
 * @param demonstrations Their prompts are those that the policy answers.
 */
export function selfPlay(demonstrations: readonly Demonstration[]): Teacher {
  const responseTo = new Map(demonstrations.map(({ prompt, response }) => [prompt, response]));
  return {
    name: 'demonstrations',
    advice: 'Where the answers equal the demonstrations, the policy has learnt them, and there is nothing left to play for.',
    teach: async (answers) => pairsOf(answers, responseTo),
  };
}

function pairsOf(answers: readonly Answered[], responseTo: ReadonlyMap<PromptRow, string>): Taught {
  const seen = new Map<PromptRow, string[]>();
  let [equal, repeated] = [0, 0];
  const rows = answers.flatMap(({ prompt: row, sample, text }): PreferenceRow[] => {
    const chosen = responseTo.get(row)!;
    const before = seen.get(row) ?? [];
    if (sameText(chosen, text)) {
      equal++;
      return [];
    }
    if (before.some((other) => sameText(other, text))) {
      repeated++;
      return [];
    }
    seen.set(row, [...before, text]);
    const { source, id, prompt } = row;
    return [{ source, ...(id === undefined ? {} : { id: `${id}#${sample}` }), prompt, chosen, rejected: text }];
  });
  const words = [
    `${rows.length} of ${answers.length} answers stand against a demonstration`,
    ...(equal > 0 ? [`${equal} equal it`] : []),
    ...(repeated > 0 ? [`${repeated} repeat another answer`] : []),
  ].join(', ');
  return { rows, report: { equal, repeated }, words };
}
