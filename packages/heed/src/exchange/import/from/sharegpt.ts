/** ShareGPT's conversations, with the columns that LLaMA-Factory adds for preferences (chosen, rejected) and votes (kto_tag). */
import { z } from 'zod';
import { saysNothing } from '../../../data/turn.js';
import { asResponse } from '../../../data/turns.js';
import type { RawRow } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import type { ImportFormat } from '../format.js';
import { anything, type Findings, note, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';

const Shared = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  conversations: z.array(anything).min(1),
  system: z.string().nullish(), tools: anything.optional(),
  chosen: anything.optional(), rejected: anything.optional(), kto_tag: z.boolean().nullish(),
});

export const sharegpt: ImportFormat = {
  name: 'sharegpt',
  about: 'ShareGPT: conversations of { from, value }; LLaMA-Factory\'s chosen, rejected and kto_tag',
  recognises: ({ conversations }) => Array.isArray(conversations),
  read(records, findings) {
    for (const record of records) orRefuse(findings, record.source, () => readRecord(record, findings));
  },
};

function readRecord(record: RawRow, findings: Findings): void {
  requireCharacters(record);
  const { id, conversations, system, tools, chosen, rejected, kto_tag: vote } = readAs(Shared, record.fields, findings);
  const turns = alternating(turnsOf('conversations', conversations, findings), findings);
  const about = {
    ...(id !== undefined && { id: String(id) }), ...(!saysNothing(system) && { system }), ...(!saysNothing(tools) && { tools }),
  };
  const add = (kind: 'preference' | 'labelled' | 'conversation', row: object): void => {
    findings.rows.push({ kind, source: record.source, row: { ...about, ...row } });
  };
  const pass = (key: string): void => void findings.unused.add(key);
  if (!saysNothing(chosen) || !saysNothing(rejected)) {
    const sides = { chosen: asResponse('chosen', chosen, pass), rejected: asResponse('rejected', rejected, pass) };
    return add('preference', { prompt: turns, ...sides });
  }
  if (typeof vote !== 'boolean') return add('conversation', { messages: turns });
  const last = turns.at(-1);
  if (last?.role !== 'assistant') throw new Refusal('kto_tag is a vote, and the conversation does not end with an answer', last?.role);
  add('labelled', { prompt: turns.slice(0, -1), completion: last.content, label: vote });
}

/** Without answers before the first question; turns of one speaker in a row become one. Both are usual in ShareGPT's files. */
function alternating(turns: readonly Message[], findings: Findings): Message[] {
  const asked = turns.findIndex(({ role }) => role === 'user');
  const begun = turns.filter(({ role }, i) => role !== 'assistant' || (asked >= 0 && i > asked));
  note(findings, 'answers before the first question were left out', turns.length - begun.length);
  const out: Message[] = [];
  for (const turn of begun) {
    const last = out.at(-1);
    const plain = Object.keys(turn).length === 2 && last !== undefined && Object.keys(last).length === 2;
    if (plain && last.role === turn.role && turn.role !== 'tool') {
      note(findings, 'turns of one speaker in a row were joined by an empty line');
      out[out.length - 1] = { ...last, content: `${last.content}\n\n${turn.content}` };
    } else out.push(turn);
  }
  if (out.length === 0) throw new Refusal('has no turn but answers');
  return out;
}
