import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CheckpointError, reason } from './checkpoint/error.js';
import type { Checkpoint } from './checkpoint/open.js';

const FILE = 'generation_config.json';
const Listed = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

/**
 * The tokens that the model's makers say end an answer: `eos_token_id` of generation_config.json and of config.json, each of which may be a
 * list (Llama 3 and Qwen 2.5 list two).
 *
 * @param log Told of ids that are no tokens of the model, which are left out.
 * @throws CheckpointError where generation_config.json is there and says something else
 */
export async function endTokens({ home, config }: Checkpoint, log?: (line: string) => void): Promise<number[]> {
  const file = path.join(home, FILE);
  const said = [await listed(file), config.eos_token_id].flatMap((ids) => ids ?? []);
  const isToken = (id: number): boolean => id >= 0 && id < config.vocab_size;
  const wrong = said.filter((id) => !isToken(id));
  if (wrong.length > 0) log?.(`${home}: eos_token_id names ${wrong.join(', ')}, which the model has no token for: it never ends an answer`);
  return [...new Set(said.filter(isToken))];
}

async function listed(file: string): Promise<number | number[] | null | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CheckpointError(`${file}: could not be read: ${reason(error)}`, { cause: error });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(`${file}: is not JSON: ${reason(error)}`, { cause: error });
  }
  const parsed = Listed.safeParse(json);
  if (!parsed.success) throw new CheckpointError(`${file}: eos_token_id is no token's number and no list of them`);
  return parsed.data.eos_token_id;
}
