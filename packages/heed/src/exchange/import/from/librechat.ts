/** LibreChat's conversations: messages with thumbs, as its export or its database has them. */
import { z } from 'zod';
import { isObject } from '../../../data/turn.js';
import type { RawRow, Source } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, type ImportFormat, rated } from '../format.js';
import { anything, type Findings, orRefuse, readAs, Refusal, requireCharacters } from '../found.js';

const Part = z.looseObject({ type: z.string(), text: z.union([z.string(), z.object({ value: z.string() })]).optional() });
const Stored = z.object({
  messageId: z.string(), parentMessageId: z.string().nullish(), isCreatedByUser: z.boolean(), text: z.string().nullish(),
  content: z.array(Part).nullish(), error: z.boolean().nullish(), unfinished: z.boolean().nullish(),
  feedback: z.object({
    rating: z.enum(['thumbsUp', 'thumbsDown']), text: z.string().nullish(),
    tag: z.union([z.string(), z.object({ key: z.string() })]).nullish(),
  }).nullish(),
  children: z.array(anything).nullish(),
});
type Stored = z.infer<typeof Stored>;
interface Placed extends Stored { readonly source: Source }

export const librechat: ImportFormat = {
  name: 'librechat',
  about: 'LibreChat: a conversation\'s JSON export, or the messages of its database',
  recognises: (fields) => ('conversationId' in fields && (Array.isArray(fields['messages']) || Array.isArray(fields['messagesTree'])))
    || ('messageId' in fields && 'isCreatedByUser' in fields),
  read(records, findings) {
    const messages = new Map<string, Placed>();
    const sound: RawRow[] = [];
    for (const record of records) {
      orRefuse(findings, record.source, () => {
        requireCharacters(record);
        for (const message of messagesOf(record, findings)) messages.set(message.messageId, { ...message, source: record.source });
        sound.push(record);
      });
    }
    const voted = [...messages.values()].filter(({ feedback }) => isObject(feedback));
    const used = new Set<Source>();
    for (const message of voted) orRefuse(findings, message.source, () => answerOf(message, messages, findings, used));
    const answered = new Set(voted.map(({ source }) => source));
    for (const { source } of sound) {
      if (answered.has(source)) continue;
      if (used.has(source)) findings.joined.push(source);
      else findings.refused.push({ source, reason: 'nobody rated an answer in it' });
    }
  },
};

function messagesOf({ fields }: RawRow, findings: Findings): Stored[] {
  const whole = Array.isArray(fields['messages']) ? fields['messages'] as unknown[] : fields['messagesTree'];
  if (!Array.isArray(whole)) return [readAs(Stored, fields, findings)];
  if (whole.length === 0) throw new Refusal('messages: is empty');
  const flat = (list: readonly unknown[], depth: number): Stored[] => list.flatMap((given) => {
    if (depth > 10_000) throw new Refusal('messagesTree: is too deep');
    const message = readAs(Stored, given, findings, 'messages[]');
    return [message, ...flat(message.children ?? [], depth + 1)];
  });
  return flat(whole, 0);
}

function answerOf(message: Placed, messages: ReadonlyMap<string, Placed>, findings: Findings, used: Set<Source>): void {
  if (message.error === true) throw new Refusal('the rated message is an error');
  if (message.isCreatedByUser) throw new Refusal('the rated message is the user\'s own');
  const turns: Message[] = [];
  const seen = new Set([message.messageId]);
  for (let at = message.parentMessageId ?? ''; messages.has(at);) {
    const turn = messages.get(at)!;
    if (seen.has(at)) throw new Refusal('the chat turns in a circle', at);
    seen.add(at);
    used.add(turn.source);
    turns.unshift({ role: turn.isCreatedByUser ? 'user' : 'assistant', content: textOf(turn) });
    at = turn.parentMessageId ?? '';
  }
  if (turns.length === 0) throw new Refusal('the chat lacks the message that the rated one answers', message.parentMessageId);
  const { rating, tag, text } = message.feedback!;
  const label = typeof tag === 'string' ? tag : tag?.key;
  const words = (text ?? '').trim() === '' ? label?.replaceAll('_', ' ') : text;
  findings.answers.push({
    source: message.source, id: message.messageId, prompt: turns, completion: textOf(message),
    finish: message.unfinished === true ? 'length' : 'stop',
    said: [rated('thumb', rating === 'thumbsUp', 'person'), ...comment(words, { about: 'thumb', by: 'person' })],
  });
}

/** `text` is empty where `content` holds the answer, in parts. */
function textOf({ text, content }: Stored): string {
  if ((text ?? '').trim() !== '') return text!;
  return (content ?? []).map((part) => {
    // Thoughts are not what was said.
    if (part.type === 'think') return '';
    if (part.type !== 'text') throw new Refusal(`content: has a part of type ${part.type}; only text is learned`);
    return typeof part.text === 'string' ? part.text : part.text?.value ?? '';
  }).join('');
}
