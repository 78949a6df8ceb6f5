/** OpenTelemetry's GenAI conventions, as the Collector's file exporter writes them: spans with messages, and evaluations of them. */
import { z } from 'zod';
import { parseSpelt } from '../../../data/spelt.js';
import { isObject } from '../../../data/turn.js';
import type { RawRow, Source } from '../../../data/source.js';
import type { Message } from '../../../text/template.js';
import { comment, type Hints, type ImportFormat, rated } from '../format.js';
import { anything, type Findings, type ImportedRemark, note, orRefuse, readAs, Refusal, requireCharacters } from '../found.js';
import { MAP_IT, meaningOf } from '../labels.js';

const Attribute = z.array(anything).default([]);
const Span = z.object({
  traceId: z.string(), spanId: z.string(), name: z.string().nullish(), attributes: Attribute,
  events: z.array(z.object({ name: z.string().nullish(), attributes: Attribute })).default([]),
});
const LogRecord = z.object({
  eventName: z.string().nullish(), traceId: z.string().nullish(), spanId: z.string().nullish(), attributes: Attribute,
});
const list = z.array(z.unknown()).default([]);
const Spans = z.object({ scopeSpans: z.array(z.object({ spans: list })).default([]) });
const Logs = z.object({ scopeLogs: z.array(z.object({ logRecords: list })).default([]) });

const EVALUATION = 'gen_ai.evaluation.result';
const DETAILS = 'gen_ai.client.inference.operation.details';
const CONTENT_OFF = 'the span has no messages: recording of content is off by default (gen_ai.input.messages, gen_ai.output.messages)';

interface Call { readonly source: Source; readonly key: string; readonly attributes: Attributes }
interface Evaluation extends Call { readonly response: unknown }

export const opentelemetry: ImportFormat = {
  name: 'opentelemetry',
  about: 'OpenTelemetry: GenAI spans and gen_ai.evaluation.result events, in OTLP JSON lines',
  recognises: (fields) => Array.isArray(fields['resourceSpans']) || Array.isArray(fields['resourceLogs']),
  read(records, findings, hints) {
    const calls = new Map<string, Call>(), evaluations: Evaluation[] = [];
    for (const record of records) orRefuse(findings, record.source, () => collect(record, calls, evaluations, findings));
    const byResponse = new Map([...calls.values()].map((call) => [call.attributes['gen_ai.response.id'], call]));
    const said = new Map<Call, Evaluation[]>();
    for (const one of evaluations) {
      orRefuse(findings, one.source, () => {
        const call = calls.get(one.key) ?? (typeof one.response === 'string' ? byResponse.get(one.response) : undefined);
        if (call === undefined) throw new Refusal('the files lack the span that the evaluation rates', one.key);
        said.set(call, [...said.get(call) ?? [], one]);
      });
    }
    for (const call of calls.values()) {
      const own = said.get(call);
      // The same messages stand on an agent's span and on the call's; where one of them is evaluated, the other is no loss.
      if (own === undefined) {
        if (isCall(call.attributes)) findings.refused.push({ source: call.source, reason: 'the call is not evaluated' });
      } else if (!orRefuse(findings, call.source, () => answerOf(call, own, findings, hints))) {
        for (const { source } of own) findings.refused.push({ source, reason: 'the answer that the evaluation rates was refused' });
      }
    }
    requireAll(records, findings);
  },
};

/** Operations that a model answers. */
const CALLS: readonly unknown[] = ['chat', 'text_completion', 'generate_content'];
const isCall = (attributes: Attributes): boolean =>
  attributes['gen_ai.response.id'] !== undefined || CALLS.includes(attributes['gen_ai.operation.name']);

/** Lines of which nothing was found: other spans and logs. */
function requireAll(records: readonly RawRow[], { answers, rows, refused, joined }: Findings): void {
  const told = new Set([...answers, ...rows, ...refused].map(({ source }) => source));
  for (const source of joined) told.add(source);
  for (const { source } of records) if (!told.has(source)) refused.push({ source, reason: 'holds no GenAI call and no evaluation' });
}

function collect(record: RawRow, calls: Map<string, Call>, evaluations: Evaluation[], findings: Findings): void {
  requireCharacters(record);
  const { source, fields } = record;
  if (!Array.isArray(fields['resourceSpans']) && !Array.isArray(fields['resourceLogs'])) {
    throw new Refusal('has neither resourceSpans nor resourceLogs: a file of the format proto or of compression zstd cannot be read');
  }
  const evaluation = (key: string, attributes: Attributes): void =>
    void evaluations.push({ source, key, attributes, response: attributes['gen_ai.response.id'] });
  const merge = (key: string, attributes: Attributes): void => {
    const known = calls.get(key);
    calls.set(key, { source: known?.source ?? source, key, attributes: { ...known?.attributes, ...attributes } });
    if (known !== undefined && known.source !== source) findings.joined.push(source);
  };
  for (const resource of each(fields['resourceSpans'])) {
    for (const given of readAs(Spans, resource, quiet(findings)).scopeSpans.flatMap(({ spans }) => spans)) {
      const span = readAs(Span, given, quiet(findings), 'spans[]');
      const key = keyOf(span), attributes = attributesOf(span.attributes);
      if ('gen_ai.operation.name' in attributes) merge(key, attributes);
      else note(findings, 'spans of other kinds were passed over');
      for (const event of span.events) {
        if (event.name === EVALUATION) evaluation(key, attributesOf(event.attributes));
        else if (event.name === DETAILS) merge(key, attributesOf(event.attributes));
      }
    }
  }
  for (const resource of each(fields['resourceLogs'])) {
    for (const given of readAs(Logs, resource, quiet(findings)).scopeLogs.flatMap(({ logRecords }) => logRecords)) {
      const log = readAs(LogRecord, given, quiet(findings), 'logRecords[]');
      const attributes = attributesOf(log.attributes), name = log.eventName ?? attributes['event.name'];
      if (name === EVALUATION) evaluation(keyOf(log), attributes);
      else if (name === DETAILS) merge(keyOf(log), attributes);
      else note(findings, 'logs of other kinds were passed over');
    }
  }
}

const each = (value: unknown): unknown[] => (Array.isArray(value) ? value as unknown[] : []);
/** Spans carry times, links and resources that no importer uses: naming them all would hide what matters. */
const quiet = (findings: Findings): Findings => ({ ...findings, unused: new Set() });
/** Ids are hexadecimal, in letters of either size. */
const keyOf = ({ traceId, spanId }: { traceId?: string | null | undefined; spanId?: string | null | undefined }): string =>
  `${traceId ?? ''}/${spanId ?? ''}`.toLowerCase();

function answerOf({ source, key, attributes }: Call, evaluations: readonly Evaluation[], findings: Findings, hints: Hints): void {
  const [input, output] = [messages(attributes['gen_ai.input.messages']), messages(attributes['gen_ai.output.messages'])];
  if (input === undefined || output === undefined) throw new Refusal(CONTENT_OFF);
  if (output.length !== 1) throw new Refusal(`the call has ${output.length} answers, and the evaluation does not say which one it rates`);
  const system = attributes['gen_ai.system_instructions'];
  const first: Message[] = system === undefined ? [] : [{ role: 'system', content: textOf(spelt(system), 'gen_ai.system_instructions') }];
  const said: ImportedRemark[] = [];
  for (const one of evaluations) {
    orRefuse(findings, one.source, () => {
      said.push(...remarksOf(one.attributes, hints));
      if (one.source !== source) findings.joined.push(one.source);
    });
  }
  const reasons = attributes['gen_ai.response.finish_reasons'];
  const response = attributes['gen_ai.response.id'];
  findings.answers.push({
    source, id: typeof response === 'string' ? response : key, prompt: [...first, ...input.map((one) => turnOf(one))],
    completion: turnOf(output[0]).content, finish: Array.isArray(reasons) && reasons.includes('length') ? 'length' : 'stop', said,
  });
}

function remarksOf(attributes: Attributes, { labels }: Hints): ImportedRemark[] {
  const name = attributes['gen_ai.evaluation.name'], score = attributes['gen_ai.evaluation.score.value'];
  const label = attributes['gen_ai.evaluation.score.label'], why = attributes['gen_ai.evaluation.explanation'];
  if (typeof name !== 'string' || name === '') throw new Refusal('the evaluation has no gen_ai.evaluation.name', name);
  if (attributes['error.type'] !== undefined) throw new Refusal('the evaluation failed', attributes['error.type']);
  const words = comment(typeof why === 'string' ? why : undefined, { about: name });
  const meaning = typeof label === 'string' ? meaningOf(label, labels) : undefined;
  if (label !== undefined && meaning === undefined && typeof score !== 'number') throw new Refusal(`the label ${MAP_IT}`, label);
  return [
    ...(meaning === undefined ? [] : [rated(name, meaning)]),
    ...(typeof score === 'number' && Number.isFinite(score) && typeof meaning !== 'number' ? [rated(name, score)] : []), ...words,
  ];
}

const spelt = (value: unknown): unknown => (typeof value === 'string' ? parseSpelt(value) ?? value : value);

/** On spans the messages may be JSON as text. */
function messages(value: unknown): unknown[] | undefined {
  const given = spelt(value);
  return Array.isArray(given) && given.length > 0 ? given as unknown[] : undefined;
}

function turnOf(message: unknown): Message {
  const { role, parts } = isObject(message) ? message : {};
  if (role !== 'system' && role !== 'user' && role !== 'assistant' && role !== 'tool') {
    throw new Refusal('a message has no role that is known', role);
  }
  return { role, content: textOf(parts, 'parts') };
}

/** The text of a message's parts; thoughts are not what was said. */
function textOf(parts: unknown, name: string): string {
  if (typeof parts === 'string') return parts;
  if (!Array.isArray(parts)) throw new Refusal(`${name}: is no list of parts`, parts);
  return (parts as unknown[]).map((part) => {
    const { type, content } = isObject(part) ? part : {};
    if (type === 'reasoning') return '';
    if (type === 'text' && typeof content === 'string') return content;
    throw new Refusal(`${name}: has a part of type ${String(type)}; only text is learned`);
  }).join('');
}

type Attributes = Readonly<Record<string, unknown>>;

/** Attributes by name, as OTLP's JSON writes them: [{ key, value: { stringValue | intValue | … } }]. Any other entry is passed over. */
function attributesOf(list: readonly unknown[]): Attributes {
  return Object.fromEntries(list.flatMap((entry): [string, unknown][] =>
    (isObject(entry) && typeof entry['key'] === 'string' ? [[entry['key'], valueOf(entry['value'])]] : [])));
}

/** 64-bit integers come as text or as numbers. */
function valueOf(value: unknown): unknown {
  if (!isObject(value)) return undefined;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue } = value;
  if (typeof intValue === 'string' || typeof intValue === 'number') return Number(intValue);
  if (isObject(arrayValue)) return Array.isArray(arrayValue['values']) ? (arrayValue['values'] as unknown[]).map(valueOf) : [];
  if (isObject(kvlistValue)) return Array.isArray(kvlistValue['values']) ? attributesOf(kvlistValue['values'] as unknown[]) : {};
  return stringValue ?? boolValue ?? doubleValue;
}
