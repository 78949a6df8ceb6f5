/** Answers to prompts, each drawn by an action of its own, and what the tasks' rewards say of them; all on disk before it is used. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { samplingOf } from '../../control/actions.js';
import { generateEach } from '../../control/controlled.js';
import type { Generator } from '../../generate/generator.js';
import { failed } from '../../judge/respondent.js';
import type { Model } from '../../model/load.js';
import type { Reward } from '../../reward/reward.js';
import { atomicWrite } from '../../run/files.js';
import type { RunFolder } from '../../run/folder.js';
import type { Hooks } from '../../run/job.js';
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
}

/** An answer and what its reward said. */
export interface RatedText {
  readonly text: string;
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
      const [{ text, ids, finish }, rating] = [written[i]!, ratings[at]!];
      const rated = failed(rating) ? {} : { value: rating.value, satisfied: rating.satisfied };
      results[i] = { text, tokens: ids.length, finish, ...rated };
    });
  }
  return results;

  async function write(): Promise<Written[]> {
    const { progress = silentProgress, interrupt } = hooks;
    // At temperature 0 all answers of an action to a prompt are the same: one is written for all.
    const keyOf = ({ prompt, action, row }: Wanted): string =>
      JSON.stringify(recipe.actions[action]!.temperature === 0 ? [action, prompt.tokens] : [action, prompt.tokens, row]);
    const unique = [...new Map(wanted.map((one) => [keyOf(one), one])).values()];
    progress.start(doing, unique.length, { unit: 'answers' });
    try {
      const completions = await generateEach(generator, unique.map(({ prompt, action, row }) => ({
        request: { prompt: prompt.tokens, row },
        options: {
          temperature: 0, ...samplingOf(recipe.actions[action]!, model.tokenizer), maxNewTokens: recipe.generate.maxNewTokens, seed,
        },
      })), {
        onProgress({ finished }) {
          progress.update(finished);
          if (interrupt?.requested === true) throw new Interrupted(`Stopped while ${doing}; go on with --resume.`);
        },
      });
      const written = new Map(unique.map((one, i) => [keyOf(one), completions[i]!]));
      return wanted.map((one) => {
        const { text, ids, finish } = written.get(keyOf(one))!;
        return { text, ids, finish };
      });
    } finally {
      progress.stop();
    }
  }
}

async function keeping(file: string, make: () => Promise<Written[]>): Promise<Written[]> {
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as Written[];
  const made = await make();
  await atomicWrite(file, `${JSON.stringify(made)}\n`);
  return made;
}
