import fs from 'node:fs/promises';
import path from 'node:path';
import { type Tokenizer, loadTokenizer } from '../text/tokenizer.js';

type Json = Readonly<Record<string, unknown>>;

/** The class of transformers that takes tokenizer.json as it is. The others (GPT-2's, Llama's) put their own rules in its place. */
const AS_WRITTEN = 'PreTrainedTokenizerFast';
/** Keys with which transformers would load another tokenizer, or change the rules of this one. */
const CHANGING = new Set(['auto_map', 'fix_mistral_regex', 'tokenizer_file', 'legacy', 'from_slow', 'split_special_tokens']);

/**
 * Writes tokenizer.json and tokenizer_config.json of an exported model, so that transformers tokenises as the training did: by the rules of
 * tokenizer.json, with BOS before a plain text where Heed puts it there.
 *
 * @param home Where the base's tokenizer files are.
 * @param target The exported model's folder.
 */
export async function exportTokenizer(home: string, target: string): Promise<void> {
  const read = async (name: string): Promise<Json> => JSON.parse(await fs.readFile(path.join(home, name), 'utf8')) as Json;
  const write = (name: string, value: object, indent?: number): Promise<void> =>
    fs.writeFile(path.join(target, name), `${JSON.stringify(value, null, indent)}\n`);
  const [config, json, tokenizer] = await Promise.all([read('tokenizer_config.json'), read('tokenizer.json'), loadTokenizer(home)]);
  const prefix = (json['pre_tokenizer'] as Json | null)?.['add_prefix_space'];
  await write('tokenizer_config.json', {
    ...Object.fromEntries(Object.entries(config).filter(([key]) => !CHANGING.has(key))),
    tokenizer_class: AS_WRITTEN,
    ...(typeof prefix === 'boolean' ? { add_prefix_space: prefix } : {}),
  }, 2);
  const { bosId, addsBos } = tokenizer;
  const bos = bosId === undefined ? undefined : tokenizer.decode([bosId]);
  if (bos === undefined || writesBos(json['post_processor'], bos) === addsBos) return;
  await write('tokenizer.json', { ...json, post_processor: postProcessor(tokenizer, bos) });
}

/** Whether a post-processor writes this token, which is what AS_WRITTEN goes by; `add_bos_token` of the configuration it passes over. */
const writesBos = (processor: unknown, bos: string): boolean =>
  JSON.stringify(processor ?? null).includes(`"SpecialToken":{"id":${JSON.stringify(bos)}`);

function postProcessor({ addsBos, bosId }: Tokenizer, bos: string): object {
  const first = addsBos ? [{ SpecialToken: { id: bos, type_id: 0 } }] : [];
  const text = (id: string, type: number): object => ({ Sequence: { id, type_id: type } });
  return {
    type: 'TemplateProcessing',
    single: [...first, text('A', 0)],
    pair: [...first, text('A', 0), text('B', 1)],
    special_tokens: addsBos ? { [bos]: { id: bos, ids: [bosId], tokens: [bos] } } : {},
  };
}
