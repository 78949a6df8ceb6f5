/** A turn of a conversation, and what it may hold beside its text. */

/** One turn of a conversation. Keys beside role and content are those of OpenAI's and transformers' chat formats. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  /** 0: an assistant turn that is context for others and is not learned itself. Default: 1, learned where the method learns turns. */
  readonly weight?: 0 | 1 | undefined;
  /** Calls of functions that an assistant turn makes. */
  readonly tool_calls?: unknown[] | undefined;
  /** Which call a tool's turn answers. */
  readonly tool_call_id?: string | undefined;
  /** Who speaks, or the function that answered. */
  readonly name?: string | undefined;
  /** What an assistant thought before it answered, as Qwen and DeepSeek call it. */
  readonly reasoning_content?: string | undefined;
  /** The same, as gpt-oss calls it. */
  readonly thinking?: string | undefined;
  /** The functions that the conversation may call. They stand at its first turn, and are given to the template as `tools`. */
  readonly tools?: unknown[] | undefined;
}

/** Keys that say something which is lost where a template passes over them. */
const PARTS = ['tool_calls', 'reasoning_content', 'thinking'] as const;
type Part = (typeof PARTS)[number];

/** Which of a turn's parts say something. */
export const partsOf = (turn: Message): Part[] => PARTS.filter((key) => (turn[key]?.length ?? 0) > 0);

/** The functions that a conversation may call. */
export const toolsOf = (messages: readonly Message[]): unknown[] => messages.flatMap(({ tools = [] }) => tools);

/** A turn's text for a reader who sees no template: the calls that it makes stand below it as JSON. */
export const said = ({ content, tool_calls = [] }: Message): string =>
  [...(content === '' ? [] : [content]), ...tool_calls.map((call) => JSON.stringify(call))].join('\n');

/** What a template is given: turns without what is not the template's, and the tools, every text changed by `hide`. */
export function masked(
  messages: readonly Message[], hide: (text: string) => string,
): { readonly turns: readonly unknown[]; readonly tools: unknown } {
  const tools = toolsOf(messages);
  const turns = messages.map(({ weight: _weight, tools: _tools, ...turn }) => everyText(turn, hide));
  return { turns, tools: tools.length === 0 ? null : everyText(tools, hide) };
}

/** Every text in the turns, wherever it stands. */
export function textsOf(messages: readonly Message[]): string[] {
  const texts: string[] = [];
  everyText(messages, (text) => {
    texts.push(text);
    return text;
  });
  return texts;
}

function everyText(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => everyText(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, everyText(one, change)]));
}

/**
 * The first part of a turn, or the tools, that a template passes over, for people: the text is the same without it.
 *
 * @param render What the template makes of turns.
 */
export function lostIn(messages: readonly Message[], render: (messages: readonly Message[]) => string): string | undefined {
  const holders = messages.map(partsOf);
  const tools = toolsOf(messages).length > 0;
  if (!tools && holders.every((parts) => parts.length === 0)) return undefined;
  const whole = render(messages);
  // A template may refuse a turn that lacks a part: then it reads it.
  const same = (turns: readonly Message[]): boolean => {
    try {
      return render(turns) === whole;
    } catch {
      return false;
    }
  };
  if (tools && same(messages.map(({ tools: _tools, ...turn }) => turn))) return 'tools';
  for (const [turn, parts] of holders.entries()) {
    const lost = parts.find((key) => same(messages.map((one, i) => (i === turn ? { ...one, [key]: undefined } : one))));
    if (lost !== undefined) return `${lost} of turn ${turn + 1}`;
  }
  return undefined;
}
