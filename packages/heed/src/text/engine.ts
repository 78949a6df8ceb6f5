import { Tokenizer } from '@huggingface/tokenizers';

/**
 * What Heed uses of `@huggingface/tokenizers`. Declared here because the package's own types import each other without file
 * extensions, which TypeScript cannot resolve from an ES module (0.2.0).
 */
export interface Engine {
  readonly normalizer: { normalize(text: string): string } | null;
  readonly pre_tokenizer: { pre_tokenize(text: string, options: { section_index: number }): string[] } | null;
  readonly model: EngineModel | null;
  readonly decoder: object | null;
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  id_to_token(id: number): string | undefined;
}

/** The model inside an engine. `_call` is `encode` and the fusing of unknown tokens. */
export interface EngineModel {
  readonly vocab: readonly string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token?: string | null;
  _call(pieces: string[]): string[];
}

/** Builds the engine of a `tokenizer.json` and a `tokenizer_config.json`. */
export function createEngine(tokenizer: object, config: object): Engine {
  const Constructor = Tokenizer as unknown as new (tokenizer: object, config: object) => Engine;
  return new Constructor(tokenizer, config);
}
