import { readFileSync } from 'node:fs';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { loadTokenizer } from '../../src/text/tokenizer.js';
import type { Tokenizer } from '../../src/text/tokenizer.js';

/** A file that tools/oracles/text_fixtures.py wrote. */
export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/text/${name}`, import.meta.url), 'utf8')) as T;
}

let folder: Promise<string> | undefined;

/** The folder of the default model. */
export function defaultFolder(): Promise<string> {
  folder ??= openCheckpoint(undefined).then((checkpoint) => checkpoint.folder);
  return folder;
}

/** The tokenizer of the default model. */
export async function defaultTokenizer(): Promise<Tokenizer> {
  return loadTokenizer(await defaultFolder());
}

/** A byte-level vocabulary without merges: one token per byte, then the control tokens. */
export function toyFiles(control: readonly string[], config: object = {}): [tokenizer: object, config: object] {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const alphabet = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
  const added = control.map((content, i) => ({ id: 256 + i, content, special: true }));
  return [{
    added_tokens: added, normalizer: null, post_processor: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true }, decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', unk_token: null, merges: [], vocab: Object.fromEntries(alphabet.map((character, byte) => [character, byte])) },
  }, config];
}
