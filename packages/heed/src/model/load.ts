import { type Template, alpacaTemplate, chatTemplate } from '../text/template.js';
import { type Tokenizer, loadTokenizer } from '../text/tokenizer.js';
import { architectureOf } from './architecture.js';
import { type Checkpoint, type OpenOptions, checkVocabulary, openCheckpoint } from './checkpoint/open.js';
import type { Architecture } from './decoder.js';
import type { Precision } from '../run/precision.js';
import { inPrecision } from './quantize.js';
import { endTokens } from './end-tokens.js';

/** A model ready to use: its weights on disk, its dimensions, its tokenizer and how it reads messages. */
export interface Model {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  readonly template: Template;
}

/** How a model is loaded. */
export interface LoadOptions extends Omit<OpenOptions, 'codes'> {
  /** What the frozen matrices are in memory. Default: f32. */
  readonly precision?: Precision;
  /** `chat`: the model's own template; `alpaca`: the papers' plain one; `auto`, the default: chat where the model has a template. */
  readonly template?: 'auto' | 'chat' | 'alpaca';
  /** The time that a chat template prints which asks for it. Default: the time of each rendering. */
  readonly now?: () => Date;
}

/**
 * Loads a model: the default one (SmolLM2-135M-Instruct), a folder, a `.gguf` file or a Hugging Face hub id. Nothing is read into
 * memory yet: the engine maps the weights.
 *
 * @throws UserError when it cannot be found, is damaged, is of an architecture that Heed cannot run, its tokenizer does not fit, or it
 * cannot be in that precision
 */
export async function loadModel(name?: string, options: LoadOptions = {}): Promise<Model> {
  const { precision = 'f32', cacheDir, log } = options;
  const opened = await openCheckpoint(name, { ...options, codes: precision === 'gguf' });
  const checkpoint = await inPrecision(opened, precision, { cacheDir, log });
  const architecture = architectureOf(checkpoint);
  const tokenizer = await loadTokenizer(checkpoint.home);
  checkVocabulary(checkpoint, tokenizer.vocabularySize);
  const { template: asked = 'auto' } = options;
  const own = tokenizer.chatTemplate === undefined ? 'alpaca' : 'chat';
  const kind = asked === 'auto' ? own : asked;
  const ends = await endTokens(checkpoint, options.log);
  const template = kind === 'chat' ? chatTemplate(tokenizer, undefined, { ends, now: options.now }) : alpacaTemplate(tokenizer, { ends });
  return { checkpoint, architecture, tokenizer, template };
}
