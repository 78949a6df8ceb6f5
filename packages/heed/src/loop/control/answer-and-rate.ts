/** Answers to prompts, each drawn by an action of its own, and what the tasks' rewards say of them; all on disk before it is used. */
import { existsSync } from 'node:fs';
import { samplingOf } from '../../control/actions.js';
import { type OwnRequest, generateEach } from '../../control/controlled.js';
import { type AnswerSoFar, SHOWN } from '../../control/state.js';
import type { Generator } from '../../generate/generator.js';
import { failed } from '../../judge/respondent.js';
import type { Model } from '../../model/load.js';
import type { Reward } from '../../reward/reward.js';
import { atomicWrite } from '../../run/files.js';
import type { RunFolder } from '../../run/folder.js';
import type { Hooks } from '../../run/job.js';
import { readKept } from '../../run/json-file.js';
import { silentProgress } from '../../run/progress.js';
import { Interrupted } from '../../run/signals.js';
import { rateAnswers } from '../ratings.js';
import type { ControlRecipe } from './recipe.js';
import type { TaskPrompt } from './tasks.js';

/** One answer that is wanted. */
export interface Wanted {
  readonly prompt: TaskPrompt;
  /** The action's name. */
  readonly action: string;
  /** Names the answer's random numbers, together with the seed. */
  readonly row: number;
  /** Chooses an action for the rest of the answer, after every `every` tokens. */
  readonly steer?: { readonly every: number; choose(sofar: AnswerSoFar): Later };
}

/** A choice in mid-answer. */
export interface Later {
  /** What the network took. */
  readonly features: readonly number[];
  /** Index of the action. */
  readonly action: number;
  readonly probability: number;
}

/** An answer and what its reward said. */
export interface RatedText {
  readonly text: string;
  /** The choices in mid-answer, in their order. */
  readonly later: readonly Later[];
  readonly tokens: number;
  readonly finish: 'stop' | 'length';
  /** Absent where the answer got no rating. */
  readonly value?: number;
  readonly satisfied?: boolean;
}

/** What asking needs. */
export interface AskTools {
  readonly recipe: ControlRecipe;
  readonly model: Model;
  readonly generator: Generator;
  readonly rewards: ReadonlyMap<string, Reward>;
  readonly run: RunFolder;
  readonly hooks: Hooks;
}

interface Written {
  readonly text: string;
  readonly later: readonly Later[];
  readonly ids: readonly number[];
  readonly finish: 'stop' | 'length';
}

/**
 * Has answers written and rated, in the order in which they are wanted. Answers lie in `<folder>/answers.json` and ratings beside them,
 * each file written as a whole; what is there is not asked again. So a resume, which asks for a whole folder again, gets the same bits.
 *
 * @param folder Below the run's `work/`.
 * @throws Interrupted where a stop was asked for
 * @throws UserError where more answers than allowed got no rating
 */
export async function ask(
  { recipe, model, generator, rewards, run, hooks }: AskTools, folder: string, seed: number, wanted: readonly Wanted[], doing: string,
): Promise<RatedText[]> {
  const path = (name: string): string => run.path('work', folder, name);
  const written = await keeping(path('answers.json'), () => write());
  const results = new Array<RatedText>(wanted.length);
  for (const [task, reward] of rewards) {
    const own = wanted.flatMap(({ prompt }, i) => (prompt.task === task ? [i] : []));
    if (own.length === 0) continue;
    const items = own.map((i) => {
      const { row } = wanted[i]!.prompt;
      return { prompt: row.prompt, response: written[i]!.text, ids: written[i]!.ids, row };
    });
    const ratings = await rateAnswers(path(`ratings-${task}.json`), items, reward, recipe.allowedFailures, hooks);
    own.forEach((i, at) => {
      const [{ text, ids, finish, later }, rating] = [written[i]!, ratings[at]!];
      const rated = failed(rating) ? {} : { value: rating.value, satisfied: rating.satisfied };
      results[i] = { text, later, tokens: ids.length, finish, ...rated };
    });
  }
  return results;

  async function write(): Promise<Written[]> {
    const { progress = silentProgress, interrupt } = hooks;
    // At temperature 0 all answers of an action to a prompt are the same: one is written for all.
    const keyOf = ({ prompt, action, row, steer }: Wanted): string => {
      const same = recipe.actions[action]!.temperature === 0 && steer === undefined;
      return JSON.stringify([action, prompt.tokens, ...(same ? [] : [row, steer?.every])]);
    };
    const unique = [...new Map(wanted.map((one) => [keyOf(one), one])).values()];
    const later = unique.map((): Later[] => []);
    progress.start(doing, unique.length, { unit: 'answers' });
    try {
      const completions = await generateEach(generator, unique.map((one, i) => requestOf(one, later[i]!)), {
        onProgress({ finished }) {
          progress.update(finished);
          if (interrupt?.requested === true) throw new Interrupted(`Stopped while ${doing}; go on with --resume.`);
        },
      });
      const written = new Map(unique.map((one, i) => {
        const { text, ids, finish } = completions[i]!;
        return [keyOf(one), { text, ids, finish, later: later[i]! }];
      }));
      return wanted.map((one) => written.get(keyOf(one))!);
    } finally {
      progress.stop();
    }
  }

  function requestOf({ prompt, action, row, steer }: Wanted, later: Later[]): OwnRequest {
    const { generate: { maxNewTokens }, actions } = recipe;
    const names = Object.keys(actions);
    const own = { ...samplingOf(actions[action]!, model.tokenizer), maxNewTokens, seed };
    const request = { prompt: prompt.tokens, row };
    if (steer === undefined) return { request, options: own };
    return { request, options: { ...own, top: SHOWN }, steer: { every: steer.every, choose({ ids, tops }) {
      const choice = steer.choose({ ids, tops, most: maxNewTokens, last: later.at(-1)?.action ?? names.indexOf(action) });
      later.push(choice);
      return samplingOf(actions[names[choice.action]!]!, model.tokenizer);
    } } };
  }
}

async function keeping(file: string, make: () => Promise<Written[]>): Promise<Written[]> {
  if (existsSync(file)) return readKept<Written[]>(file);
  const made = await make();
  await atomicWrite(file, `${JSON.stringify(made)}\n`);
  return made;
}
