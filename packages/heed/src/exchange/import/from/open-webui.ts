/** Open WebUI's feedback export: thumbs, stars, reasons and the chat that they were given in. */
import { z } from 'zod';
import { isObject } from '../../../data/turn.js';
import type { RawRow } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, type ImportFormat, rated } from '../format.js';
import { type Findings, orRefuse, readAs, Refusal, requireCharacters } from '../found.js';

const Stored = z.object({
  id: z.string(), parentId: z.string().nullish(), childrenIds: z.array(z.string()).default([]), role: z.string(),
  content: z.string({ error: 'only text is learned' }),
});
type Stored = z.infer<typeof Stored>;
const Rating = z.object({
  id: z.string(),
  data: z.object({
    rating: z.union([z.number(), z.string()]).nullish(), reason: z.string().nullish(), comment: z.string().nullish(),
    details: z.object({ rating: z.number().nullish() }).nullish(),
  }),
  meta: z.object({ message_id: z.string() }),
  snapshot: z.object(
    { chat: z.object({ chat: z.object({ history: z.object({ messages: z.record(z.string(), Stored) }) }) }) },
    { error: 'the record has no chat: only Evaluations → Feedbacks → Export writes it' },
  ),
});

export const openWebui: ImportFormat = {
  name: 'open-webui',
  about: 'Open WebUI: Admin → Evaluations → Feedbacks → Export',
  recognises: ({ type, data, meta }) => type === 'rating' && isObject(data) && 'rating' in data && isObject(meta) && 'message_id' in meta,
  read(records, findings) {
    for (const record of records) orRefuse(findings, record.source, () => readRecord(record, findings));
  },
};

function readRecord(record: RawRow, findings: Findings): void {
  requireCharacters(record);
  const { id, data, meta, snapshot } = readAs(Rating, record.fields, findings);
  const { messages } = snapshot.chat.chat.history;
  const answer = Object.hasOwn(messages, meta.message_id) ? messages[meta.message_id] : undefined;
  if (answer === undefined) throw new Refusal('the chat does not have the rated message', meta.message_id);
  const vote = Number(data.rating ?? 0);
  if (![1, 0, -1].includes(vote)) throw new Refusal('data.rating: is not 1, 0 or -1', data.rating);
  const prompt = before(answer, messages);
  const completion = visible(answer);
  const stars = data.details?.rating ?? undefined;
  const words = (data.comment ?? '').trim() === '' ? data.reason : data.comment;
  const said = [
    ...(vote === 0 ? [] : [rated('rating', vote === 1, 'person')]), ...(stars === undefined ? [] : [rated('stars', stars, 'person')]),
    ...comment(words, { by: 'person' }),
  ];
  findings.answers.push({ source: record.source, id, prompt, completion, said });
  for (const other of siblings(answer, messages)) {
    const text = visible(other);
    const [chosen, rejected] = vote === -1 ? [text, completion] : [completion, text];
    const row = { id: `${id}/${other.id}`, prompt, chosen, rejected, ...(vote === 0 && { soft_label: 0.5 }) };
    findings.rows.push({ kind: 'preference', source: record.source, row });
  }
}

/** The turns that led to a message. */
function before(answer: Stored, messages: Readonly<Record<string, Stored>>): Message[] {
  const turns: Message[] = [];
  const seen = new Set([answer.id]);
  for (let at = answer.parentId ?? undefined; at !== undefined;) {
    const turn = Object.hasOwn(messages, at) ? messages[at] : undefined;
    if (turn === undefined || seen.has(at)) throw new Refusal('the chat lacks a message that leads to the rated one', at);
    seen.add(at);
    if (turn.role !== 'user' && turn.role !== 'assistant' && turn.role !== 'system') {
      throw new Refusal('a message has a role that is not known', turn.role);
    }
    turns.unshift({ role: turn.role, content: turn.role === 'assistant' ? visible(turn) : turn.content });
    at = turn.parentId ?? undefined;
  }
  return turns;
}

/** Other answers to the same message: of other models, and new tries of the same one. */
function siblings({ id, parentId }: Stored, messages: Readonly<Record<string, Stored>>): Stored[] {
  const parent = typeof parentId === 'string' && Object.hasOwn(messages, parentId) ? messages[parentId] : undefined;
  return (parent?.childrenIds ?? []).flatMap((child) => {
    const other = child !== id && Object.hasOwn(messages, child) ? messages[child] : undefined;
    return other?.role === 'assistant' && other.content.trim() !== '' ? [other] : [];
  });
}

/** An answer without the thoughts that Open WebUI folds into it. */
const visible = ({ content }: Stored): string => content.replace(/<details\b[^>]*\btype="reasoning"[^>]*>[^]*?<\/details>\s*/g, '');
