import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { AddedTokens } from './added-tokens.js';
import { createEngine } from './engine.js';
import type { Engine, EngineModel } from './engine.js';
import { bytesOf, hasType, plan, spellingOf } from './tokenizer-json.js';
import type { Plan, Spelling, TokenizerJson } from './tokenizer-json.js';

/** How `encode` reads its text. */
export interface EncodeOptions {
  /**
   * Whether the text of a control token (`<|im_end|>`) means that token. Default false: it is ordinary text, so that nothing a user
   * writes can end a turn or open a system message. Templates ask for true for the text that they wrote themselves.
   */
  readonly special?: boolean;
  /**
   * What stands before the text. It matters to SentencePiece vocabularies alone, which put a space before a text's first word.
   * Default `nothing`.
   */
  readonly after?: 'nothing' | 'control token' | 'text';
  /** Applied to each stretch between control tokens before it is encoded: see `chatTemplate`, which hides user text with it. */
  readonly unmask?: (text: string) => string;
}

/** How ids become text. */
export interface DecodeOptions {
  /** Leave control tokens out. Default: false. */
  readonly skipSpecial?: boolean;
  /** Text goes before: the space before the first word is kept, which SentencePiece vocabularies drop. Default: false. */
  readonly continues?: boolean;
}

/** Text to token ids and back. Ids are exactly those of the original Hugging Face tokenizer. */
export interface Tokenizer {
  /** Token ids of plain text. Adds neither BOS nor EOS. Characters whose bytes the vocabulary lacks vanish, as in the original. */
  encode(text: string, options?: EncodeOptions): number[];
  /** The text of the ids, spaces untouched. Invalid UTF-8 becomes U+FFFD. */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** Largest id + 1. A model's embedding may have more rows (padding). */
  readonly vocabularySize: number;
  readonly bosId?: number;
  readonly eosId?: number;
  readonly padId?: number;
  /** Whether this tokenizer, as its makers set it up, puts BOS before plain text. Chat templates write their own. */
  readonly addsBos: boolean;
  /** The id of exactly this token as the vocabulary spells it (`Ġthe`, `<|im_end|>`). */
  tokenId(token: string): number | undefined;
  /** One token for display: text where its bytes are text, `\xE2` for bytes that are only part of a character. */
  tokenText(id: number): string;
  /** The UTF-8 bytes of one token, control tokens included; possibly part of a character. */
  tokenBytes(id: number): Uint8Array;
  /** True for control tokens: those that user text never becomes. */
  isSpecial(id: number): boolean;
  /** Jinja source of the model's chat template. */
  readonly chatTemplate?: string;
}

/**
 * Reads `tokenizer.json` and `tokenizer_config.json` (and `chat_template.jinja`, where newer checkpoints keep the template).
 *
 * @param folder A checkpoint folder.
 * @throws if either file is missing or is not a tokenizer.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const [json, config] = await Promise.all([readJson(folder, 'tokenizer.json'), readJson(folder, 'tokenizer_config.json')]);
  const separate = await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  return createTokenizer(json, separate === undefined ? config : { ...config, chat_template: separate }, folder);
}

/**
 * The tokenizer of two parsed files.
 *
 * @param source Where they came from, for error messages.
 */
export function createTokenizer(tokenizer: object, config: object, source = 'the tokenizer'): Tokenizer {
  return new FileTokenizer(tokenizer as TokenizerJson, config as Record<string, unknown>, source);
}

/** Pieces whose ids are remembered: at most so many, each at most so long (UTF-16 units). */
const CACHE_SIZE = 50_000;
const LONGEST_CACHED = 64;

class FileTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bosId?: number;
  readonly eosId?: number;
  readonly padId?: number;
  readonly addsBos: boolean;
  readonly chatTemplate?: string;
  readonly #engine: Engine;
  readonly #model: EngineModel;
  readonly #added: AddedTokens;
  readonly #spelling: Spelling;
  readonly #prefix: 'always' | 'unless there';
  readonly #bytes: Plan['bytes'];
  readonly #known = new Map<string, readonly number[]>();

  constructor(json: TokenizerJson, config: Record<string, unknown>, source: string) {
    try {
      const { json: arranged, bytes } = plan(json);
      this.#bytes = bytes;
      this.#spelling = spellingOf(json);
      this.#engine = createEngine(arranged, config);
    } catch (error) {
      throw new UserError(`${source}: tokenizer.json cannot be used: ${(error as Error).message}`, [], { cause: error });
    }
    if (!this.#engine.model || !this.#engine.decoder) throw new UserError(`${source}: tokenizer.json has no model or no decoder.`);
    this.#model = this.#engine.model;
    this.vocabularySize = this.#model.vocab.length;
    const id = (role: string): number | undefined => {
      const token = contentOf(config[`${role}_token`]);
      if (token === undefined) return undefined;
      const found = this.tokenId(token);
      if (found === undefined)
        throw new UserError(`${source}: tokenizer_config.json names ${role}_token ${JSON.stringify(token)}, which tokenizer.json lacks.`);
      return found;
    };
    this.bosId = id('bos');
    this.eosId = id('eos');
    this.padId = id('pad');
    const roles = new Set([this.bosId, this.eosId, this.padId]);
    this.#added = new AddedTokens(json.added_tokens.map((token) => ({ ...token, special: token.special === true || roles.has(token.id) })));
    this.addsBos = this.bosId !== undefined && (config['add_bos_token'] ?? JSON.stringify(json.post_processor)
      .includes(`"SpecialToken":{"id":${JSON.stringify(contentOf(config['bos_token']))}`)) === true;
    this.#prefix = hasType(json.normalizer, 'Prepend') ? 'always' : 'unless there';
    this.chatTemplate = templateOf(config['chat_template'], source);
  }

  encode(text: string, { special = false, after = 'nothing', unmask }: EncodeOptions = {}): number[] {
    const ids: number[] = [];
    this.#added.split(text, special).forEach((section, index) => {
      if (typeof section === 'number') ids.push(section);
      else this.#encodeSection(unmask ? unmask(section) : section, index > 0 ? 'control token' : after, ids);
    });
    return ids;
  }

  decode(ids: readonly number[], { skipSpecial = false, continues = false }: DecodeOptions = {}): string {
    const kept = skipSpecial ? ids.filter((id) => !this.isSpecial(id)) : ids;
    if (kept.length === 0) return '';
    const text = this.#engine.decode(kept.map((id) => (this.#text(id), id)), { clean_up_tokenization_spaces: false });
    return continues && this.tokenBytes(kept[0]!)[0] === 0x20 && !text.startsWith(' ') ? ` ${text}` : text;
  }

  tokenId(token: string): number | undefined {
    return this.#model.tokens_to_ids.get(token);
  }

  tokenBytes(id: number): Uint8Array {
    const token = this.#text(id);
    // In a byte-level vocabulary added tokens are spelt as text; in the others ▁ is a space in them too.
    return this.#spelling === 'byte-level' && this.#added.has(id) ? new TextEncoder().encode(token) : bytesOf(token, this.#spelling);
  }

  tokenText(id: number): string {
    const bytes = this.tokenBytes(id);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return partialText(bytes);
    }
  }

  isSpecial(id: number): boolean {
    return this.#added.isSpecial(id);
  }

  #encodeSection(section: string, after: NonNullable<EncodeOptions['after']>, ids: number[]): void {
    const { normalizer, pre_tokenizer: preTokenizer } = this.#engine;
    const text = normalizer ? normalizer.normalize(section) : section;
    if (text.length === 0) return;
    const pieces = preTokenizer ? preTokenizer.pre_tokenize(text, { section_index: after === 'nothing' ? 0 : 1 }) : [text];
    if (this.#bytes) {
      for (const piece of pieces) for (const id of this.#encodePiece(piece, this.#bytes)) ids.push(id);
      return;
    }
    if (after === 'text' && pieces[0]?.startsWith('▁') && (this.#prefix === 'always' || !section.startsWith(' '))) {
      pieces[0] = pieces[0].slice(1);
    }
    for (const id of this.#encodePieces(pieces)) ids.push(id);
  }

  /** Most of a text is words seen before. */
  #encodePiece(piece: string, bytes: (piece: string) => string): readonly number[] {
    const known = this.#known.get(piece);
    if (known) return known;
    const ids = this.#encodePieces([bytes(piece)]);
    if (piece.length <= LONGEST_CACHED) {
      if (this.#known.size >= CACHE_SIZE) this.#known.clear();
      this.#known.set(piece, ids);
    }
    return ids;
  }

  #encodePieces(pieces: string[]): number[] {
    const tokens = this.#model._call(pieces);
    // Some models look whole pieces up in a vocabulary that holds the control tokens too; unknown text may become `<unk>` though.
    const forged = (token: string): boolean => token !== this.#model.unk_token && this.isSpecial(this.tokenId(token) ?? -1);
    return tokens.flatMap((token) => forged(token) ? this.#model._call([...token]) : [token]).map((token) => {
      const id = this.tokenId(token);
      if (id === undefined)
        throw new Error(`The tokenizer made ${JSON.stringify(token)}, which its vocabulary lacks: tokenizer.json is damaged.`);
      return id;
    });
  }

  #text(id: number): string {
    const token = this.#engine.id_to_token(id);
    if (token === undefined) throw new Error(`Token id ${id} is outside the vocabulary (0 to ${this.vocabularySize - 1}).`);
    return token;
  }
}

/** Valid characters as they are, the other bytes as `\xE2`. */
function partialText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    const length = 1 + [0x80, 0xe0, 0xf0].filter((least) => first >= least).length;
    const character = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(at, at + length));
    const whole = !character.includes('\ufffd');
    text += whole ? character : `\\x${first.toString(16).toUpperCase().padStart(2, '0')}`;
    at += whole ? length : 1;
  }
  return text;
}

function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}

function templateOf(value: unknown, source: string): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  const named = Array.isArray(value) ? (value as { name?: unknown; template?: unknown }[]) : [];
  const found = named.find(({ name }) => name === 'default')?.template;
  if (typeof found === 'string') return found;
  throw new UserError(
    `${source}: chat_template has no template named "default" (it has ${named.map(({ name }) => String(name)).join(', ') || 'none'}).`,
  );
}

async function readJson(folder: string, name: string): Promise<object> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${path} cannot be read (${(error as Error).message}). A checkpoint folder needs tokenizer.json and tokenizer_config.json.`,
      [],
      { cause: error },
    );
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`, [], { cause: error });
  }
  throw new UserError(`${path} should hold a JSON object.`);
}
