/** Attributes as OTLP's JSON writes them: [{ key, value: { stringValue | intValue | … } }]. */
import { isObject } from '../../data/turn.js';

export type Attributes = Readonly<Record<string, unknown>>;

/** Attributes by name; those that are none are passed over, as the protocol asks of readers. */
export function attributesOf(list: readonly unknown[]): Attributes {
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
