import { Template as Jinja } from '@huggingface/jinja';
import { ChangedResponseError, UserError } from '../errors.js';
import { createMask } from './mask.js';
import type { Mask } from './mask.js';
import { strftime } from './strftime.js';
import type { Tokenizer } from './tokenizer.js';
import { CALLED, CALLING, type CallFormat, callFormat } from './tool-calls.js';
import { type Message, lostIn, masked, partsOf, textsOf, toolsOf } from './turn.js';

export type { Message } from './turn.js';

/** Token ids, and which of them a loss may read. Both lists have the same length. */
export interface Supervised {
  readonly ids: number[];
  readonly supervised: boolean[];
}

/**
 * How messages become tokens. Prompt and response are tokenised apart and joined in token space, so that a token never spans the
 * border between what was given and what is learned.
 */
export interface Template {
  readonly name: 'chat' | 'alpaca';
  readonly tokenizer: Tokenizer;
  /** The conversation so far, ready for the response: generation prompt included. */
  prompt(messages: readonly Message[]): number[];
  /**
   * The response's tokens and exactly one end-of-turn token: all supervised.
   *
   * @throws ChangedResponseError where the template cuts or rewrites the text (white space at its ends apart)
   */
  response(text: string): number[];
  /**
   * A whole conversation that ends with an assistant turn. Every assistant turn is supervised with its end-of-turn token, unless its
   * `weight` is 0. With one assistant turn it is `prompt(before)` and `response(content)`, joined.
   *
   * @throws if the template renders a turn differently once more turns follow, so that no single sequence could stand for it.
   */
  conversation(messages: readonly Message[]): Supervised;
  /** End-of-turn, EOS and what else ends an answer: where generation stops. */
  readonly stopIds: readonly number[];
  /** Whether the template looks at this key of a turn, such as `name`. */
  reads(key: string): boolean;
  /** How the template writes a call of a function; undefined where it takes no functions, or writes calls in no form that is known here. */
  calls(): CallFormat | undefined;
}

/** How a template is set up. */
export interface TemplateOptions {
  /** Tokens that end an answer beside the template's own end of turn and EOS. Default: none. */
  readonly ends?: readonly number[];
  /** The time that a template prints which asks for it (`strftime_now`, in Llama 3.2's). Default: the time of each rendering. */
  readonly now?: () => Date;
}

const PROBE = 'heedprobe', CLOCK = 'heedclock';
const QUESTION: readonly Message[] = [{ role: 'user', content: 'Hello' }];

/**
 * The template that a chat model was trained with. Its end-of-turn token is found by rendering an assistant turn and reading what
 * follows the content; where no control token follows, EOS takes its place. Whatever else the template does is kept (SmolLM2's puts
 * in a system message where none is given; others trim the ends of a response), but a response that it cuts or rewrites is refused.
 *
 * Control tokens in a message's role or content are ordinary text: their first character is hidden from the template and from the
 * search for control tokens, and put back before the text is encoded.
 *
 * @param source Jinja source. Default: the tokenizer's own.
 * @throws if there is no template, if it cannot be rendered, or if no end-of-turn token can be found.
 */
export function chatTemplate(
  tokenizer: Tokenizer, source?: string, { ends = [], now = () => new Date() }: TemplateOptions = {},
): Template {
  const written = source ?? tokenizer.chatTemplate;
  const jinja = parse(written);
  const control = controlTokens(tokenizer);
  const named = Object.fromEntries((['bos', 'eos', 'pad'] as const).map((role) => {
    const id = tokenizer[`${role}Id`];
    return [`${role}_token`, id === undefined ? '' : tokenizer.decode([id])];
  }));
  const render = (messages: readonly Message[], mask: Mask, generate: boolean): string => {
    const { turns, tools } = masked(messages, mask.hide);
    try {
      return jinja.render({
        ...named, messages: turns, add_generation_prompt: generate, tools, documents: null,
        [CLOCK]: (format: string) => strftime(now(), format),
      });
    } catch (error) {
      const roles = messages.map(({ role }) => role).join(', ');
      throw new UserError(`The chat template refuses this conversation (${roles}): ${(error as Error).message}`, [], { cause: error });
    }
  };
  const ending = findEnding(
    render([...QUESTION, { role: 'assistant', content: PROBE }], createMask([PROBE], control), false),
    tokenizer,
    control,
  );

  /** What the template makes of an assistant turn after this prompt: the text up to its end-of-turn token. */
  const responseText = (before: readonly Message[], prompt: string, turn: Message, mask: Mask): string => {
    const whole = render([...before, turn], mask, false);
    if (!whole.startsWith(prompt) || !whole.endsWith(ending.text)) {
      throw new UserError('The chat template renders a finished assistant turn differently from its generation prompt, ' +
        `so the turn cannot be learned as a response: the prompt ends ${JSON.stringify(prompt.slice(-60))}, ` +
        `the turn reads ${JSON.stringify(whole.slice(-200))}. Give a chat template made for training.`);
    }
    const text = whole.slice(prompt.length, whole.length - ending.text.length) + ending.gap;
    if (!text.includes(mask.hide(turn.content).trim())) throw changedResponse(turn.content, mask.show(text));
    return text;
  };
  const requireWritten = (messages: readonly Message[], mask: Mask, generate: boolean): void => {
    const lost = lostIn(messages, (turns) => render(turns, mask, generate));
    if (lost !== undefined) {
      throw new UserError(`The chat template leaves out ${lost}, and what the conversation says would change. ` +
        'Use a model whose template writes it, or take it out of the data.');
    }
  };
  const encodeResponse = (text: string, prompt: string, mask: Mask): number[] => {
    const after = control.some((token) => prompt.endsWith(token)) ? 'control token' : 'text';
    return [...tokenizer.encode(text, { special: true, after, unmask: mask.show }), ending.id];
  };

  return {
    name: 'chat',
    tokenizer,
    stopIds: [...new Set([ending.id, tokenizer.eosId, ...ends].filter((id) => id !== undefined))],
    reads: (key) => written?.includes(key) ?? false,
    calls() {
      if (!(written?.includes('tools') && written.includes('tool_calls'))) return undefined;
      const mask = createMask([], control), asked = QUESTION.map((turn) => ({ ...turn, tools: [CALLED] }));
      try {
        const prompt = render(asked, mask, true), whole = render([...asked, CALLING], mask, false);
        const found = whole.startsWith(prompt) ? callFormat(whole.slice(prompt.length)) : undefined;
        // The end of turn is not a part of the call. Control tokens in it could not be read: an answer's text is without them.
        const end = ending.written === '' ? ending.text : ending.written;
        const after = (end === '' ? found?.after : found?.after.split(end)[0]) ?? '';
        const format = found && { ...found, after };
        return format && control.some((token) => `${format.before}${after}`.includes(token)) ? undefined : format;
      } catch (error) {
        if (error instanceof UserError) return undefined;
        throw error;
      }
    },
    prompt(messages) {
      const mask = createMask(textsOf(messages), control);
      requireWritten(messages, mask, true);
      return tokenizer.encode(render(messages, mask, true), { special: true, unmask: mask.show });
    },
    response(text) {
      const mask = createMask([text], control);
      const prompt = render(QUESTION, mask, true);
      return encodeResponse(responseText(QUESTION, prompt, { role: 'assistant', content: text }, mask), prompt, mask);
    },
    conversation(messages) {
      if (messages.at(-1)?.role !== 'assistant') {
        throw new UserError(
          `A conversation to learn from must end with an assistant turn; this one ends with ${messages.at(-1)?.role ?? 'nothing'}.`,
        );
      }
      if (messages[0]?.role === 'assistant')
        throw new UserError('The conversation begins with an assistant turn: nothing came before that it could answer.');
      const mask = createMask(textsOf(messages), control);
      requireWritten(messages, mask, false);
      const joined: Supervised = { ids: [], supervised: [] };
      let sofar = '';
      messages.forEach((message, turn) => {
        if (message.role !== 'assistant') return;
        const before = messages.slice(0, turn);
        const prompt = render(before, mask, true);
        if (!prompt.startsWith(sofar)) {
          throw new UserError(`The chat template renders the turns before turn ${turn + 1} differently once that turn follows: expected ` +
            `${JSON.stringify(sofar.slice(-120))}, got ${JSON.stringify(prompt.slice(0, sofar.length).slice(-120))}. ` +
            'Give a chat template made for training, or split the conversation into one row per assistant turn.');
        }
        const after = sofar === '' ? 'nothing' : 'control token';
        append(joined, tokenizer.encode(prompt.slice(sofar.length), { special: true, after, unmask: mask.show }), false);
        const text = responseText(before, prompt, message, mask);
        append(joined, encodeResponse(text, prompt, mask), message.weight !== 0);
        sofar = prompt + text + ending.written;
      });
      return joined;
    },
  };
}

const PLAIN = 'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

/**
 * The plain template of Alpaca, CUT and D2O (arXiv 2312.14591, figure 5), for base models:
 * `{preamble}\n\n### Instruction:\n{user}\n\n### Response:\n`. The response ends with EOS. A system message takes the place of the
 * preamble. BOS comes first where the tokenizer is set up to add it.
 *
 * @throws on conversations it cannot express: anything but one user turn, with or without a system message before it.
 */
export function alpacaTemplate(tokenizer: Tokenizer, { ends = [] }: Pick<TemplateOptions, 'ends'> = {}): Template {
  const { eosId, bosId } = tokenizer;
  if (eosId === undefined)
    throw new UserError('The alpaca template ends responses with EOS, but tokenizer_config.json names no eos_token.');
  const start = tokenizer.addsBos && bosId !== undefined ? [bosId] : [];
  const prompt = (messages: readonly Message[]): number[] => {
    const [part] = messages.flatMap(partsOf);
    if (part !== undefined || toolsOf(messages).length > 0) {
      throw new UserError(`The alpaca template has no place for ${part ?? 'tools'}. Use the chat template, or take it out of the data.`);
    }
    const [first, ...rest] = messages;
    const [preamble, [user, ...more]] = first?.role === 'system' ? [first.content, rest] : [PLAIN, messages];
    if (user?.role !== 'user' || more.length > 0) {
      throw new UserError(`The alpaca template takes one user turn, with or without a system message before it; got ` +
        `${messages.map(({ role }) => role).join(', ') || 'no messages'}. Use the chat template for conversations.`);
    }
    return [...start, ...tokenizer.encode(`${preamble}\n\n### Instruction:\n${user.content}\n\n### Response:\n`)];
  };
  const response = (text: string): number[] => [...tokenizer.encode(text, { after: 'text' }), eosId];
  return {
    name: 'alpaca',
    tokenizer,
    stopIds: [...new Set([eosId, ...ends])],
    reads: () => false,
    calls: () => undefined,
    prompt,
    response,
    conversation(messages) {
      const last = messages.at(-1);
      if (last?.role !== 'assistant') {
        throw new UserError(`A conversation to learn from must end with an assistant turn; this one ends with ${last?.role ?? 'nothing'}.`);
      }
      const joined: Supervised = { ids: [], supervised: [] };
      append(joined, prompt(messages.slice(0, -1)), false);
      if (partsOf(last).length > 0) prompt([last]);
      append(joined, response(last.content), last.weight !== 0);
      return joined;
    },
  };
}

/** A template that cuts or rewrites what is to be learnt would teach something else than the row says. */
function changedResponse(given: string, written: string): ChangedResponseError {
  const shown = (text: string): string => JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
  return new ChangedResponseError(`The chat template changes this response: ${shown(given)} becomes ${shown(written)}.`, [
    'Give the response as the template writes it (without the thoughts that it cuts, say).',
    "Or put a template that keeps it into the model's folder, as chat_template.jinja, or use template: alpaca.",
  ]);
}

function append({ ids, supervised }: Supervised, more: readonly number[], learned: boolean): void {
  for (const id of more) {
    ids.push(id);
    supervised.push(learned);
  }
}

function parse(source: string | undefined): Jinja {
  if (source === undefined) {
    throw new UserError(
      'This model has no chat template (tokenizer_config.json has no chat_template). Give one, or use the alpaca template.',
    );
  }
  try {
    // The library has a clock of its own, which takes no other name's place but by an assignment.
    return new Jinja(source.includes('strftime_now') ? `{% set strftime_now = ${CLOCK} %}${source}` : source);
  } catch (error) {
    throw new UserError(`The chat template is not valid Jinja: ${(error as Error).message}`, [], { cause: error });
  }
}

/** The tokenizer's control tokens, as text. */
export function controlTokens(tokenizer: Tokenizer): string[] {
  const tokens: string[] = [];
  for (let id = 0; id < tokenizer.vocabularySize; id++) if (tokenizer.isSpecial(id)) tokens.push(tokenizer.decode([id]));
  return tokens;
}

interface Ending {
  /** Everything that the template writes after an assistant's content. */
  readonly text: string;
  /** The part of `text` before the end-of-turn token, which is learned too (a space, in Llama 2's). */
  readonly gap: string;
  /** The end-of-turn token as the template writes it; '' where it writes none. */
  readonly written: string;
  readonly id: number;
}

function findEnding(rendered: string, tokenizer: Tokenizer, control: readonly string[]): Ending {
  const at = rendered.lastIndexOf(PROBE);
  if (at < 0) throw new UserError(`The chat template leaves out the assistant's content: ${JSON.stringify(rendered)}.`);
  const text = rendered.slice(at + PROBE.length);
  const found = control.map((token) => ({ token, at: text.indexOf(token) })).filter((one) => one.at >= 0)
    .sort((a, b) => a.at - b.at || b.token.length - a.token.length)[0];
  if (found) {
    const gap = text.slice(0, found.at);
    return { text, gap, written: found.token, id: tokenizer.encode(found.token, { special: true })[0] as number };
  }
  if (tokenizer.eosId === undefined) {
    throw new UserError(`No end-of-turn token: the chat template writes ${JSON.stringify(text)} after an assistant's content, ` +
      'and tokenizer_config.json names no eos_token.');
  }
  return { text, gap: '', written: '', id: tokenizer.eosId };
}
