/** JSON Schema as a grammar: every text that it allows is an instance of the schema. */
import { UserError } from '../../errors.js';
import { BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, type Property, VALUE, array, map, object, string, tuple } from './json.js';
import { type Bounds, integers, numbers } from './ranges.js';
import { type Rule, choice, lazy, text } from './rule.js';

type Schema = Readonly<Record<string, unknown>>;

/** Keys that say nothing about which instances are valid. */
const NOTES = new Set([
  'title', 'description', 'default', 'examples', 'example', 'deprecated', 'readOnly', 'writeOnly', 'nullable',
  '$schema', '$id', '$comment', '$defs', 'definitions', 'contentEncoding', 'contentMediaType',
]);
/** The keys that are read with each type; others change which instances are valid, and are refused by name. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [],
  null: [],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties', 'propertyNames'],
};
const TYPES = Object.keys(KEYS);

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const fault = (path: string, what: string, way?: string): UserError =>
  new UserError(`The schema cannot be kept to${path === '' ? '' : ` at ${path}`}: ${what}`, way === undefined ? [] : [way]);

/**
 * The grammar of a schema's instances. Objects have their properties in the schema's order, and none that it does not name, unless
 * `additionalProperties` stands alone. The subset: `type`, `enum`, `const`, `anyOf`, `$ref` into the schema itself, and `KEYS`.
 *
 * @throws UserError naming the place and the key that cannot be kept to
 */
export function schemaRule(root: unknown): Rule {
  const known = new Map<string, Rule>();

  function compile(schema: unknown, path: string): Rule {
    if (schema === true || (isObject(schema) && Object.keys(schema).every((key) => NOTES.has(key)))) return VALUE;
    if (!isObject(schema)) throw fault(path, `${JSON.stringify(schema)} is no schema`);
    const { $ref: ref, const: only, enum: some, anyOf, allOf } = schema;
    if (ref !== undefined) return alone(schema, '$ref', path, () => referred(ref, path));
    if (anyOf !== undefined) {
      if (!Array.isArray(anyOf) || anyOf.length === 0) throw fault(path, 'anyOf is no list of schemas');
      return alone(schema, 'anyOf', path, () => choice(...anyOf.map((one, i) => compile(one, `${path}.anyOf[${i}]`))));
    }
    if (Array.isArray(allOf) && allOf.length === 1) return alone(schema, 'allOf', path, () => compile(allOf[0], `${path}.allOf[0]`));
    if ('const' in schema) return alone(schema, 'const', path, () => literals([only], schema, path));
    if (some !== undefined) {
      if (!Array.isArray(some) || some.length === 0) throw fault(path, 'enum is no list of values');
      return alone(schema, 'enum', path, () => literals(some, schema, path));
    }
    return choice(...typesOf(schema, path).map((type) => typed(type, schema, path)));
  }

  /** A key that says all: beside it only notes may stand, and the type of what it names. */
  function alone(schema: Schema, key: string, path: string, rule: () => Rule): Rule {
    const beside = Object.keys(schema).find((other) => other !== key && other !== 'type' && !NOTES.has(other));
    if (beside !== undefined) throw fault(path, `${beside} beside ${key} is not supported`);
    return rule();
  }

  function literals(values: readonly unknown[], schema: Schema, path: string): Rule {
    const types = schema['type'] === undefined ? TYPES : typesOf(schema, path);
    const fits = (value: unknown): boolean => types.some((type) => isOfType(value, type));
    const kept = values.filter(fits);
    if (kept.length === 0) throw fault(path, `none of its values is of type ${types.join(' or ')}`);
    return choice(...kept.map((value) => text(JSON.stringify(value))));
  }

  function referred(ref: unknown, path: string): Rule {
    const target = typeof ref === 'string' && ref.startsWith('#') ? resolve(root, ref) : undefined;
    if (target === undefined) throw fault(path, `$ref is ${JSON.stringify(ref)}, which names nothing in the schema`);
    const name = ref as string, begun = known.get(name);
    if (begun !== undefined) return begun;
    known.set(name, lazy(() => made));
    // Compiled at once, so that its faults are found before anything is written; inside, it names itself.
    const made = compile(target, name);
    return made;
  }

  function typed(type: string, schema: Schema, path: string): Rule {
    switch (type) {
      case 'string': return string(count(schema, 'minLength', path) ?? 0, count(schema, 'maxLength', path));
      case 'boolean': return BOOLEAN;
      case 'null': return NULL;
      case 'array': return arrayRule(schema, path);
      case 'object': return objectRule(schema, path);
      default: return numberRule(type, schema, path);
    }
  }

  function numberRule(type: string, schema: Schema, path: string): Rule {
    if (schema['multipleOf'] !== undefined && schema['multipleOf'] !== 1) throw fault(path, 'multipleOf is not supported');
    const bounds = boundsOf(schema, path);
    if (bounds === undefined) return type === 'integer' ? INTEGER : NUMBER;
    const rule = type === 'integer' ? integers(bounds) : numbers(bounds);
    if (rule === undefined) throw fault(path, `no ${type} that can be written is between its bounds`);
    return rule;
  }

  function arrayRule(schema: Schema, path: string): Rule {
    const { items, prefixItems } = schema;
    const [least = 0, most = Infinity] = [count(schema, 'minItems', path), count(schema, 'maxItems', path)];
    if (least > most) throw fault(path, `minItems is ${least} and maxItems ${most}`);
    if (prefixItems === undefined) return array(compile(items ?? true, `${path}.items`), least, most);
    if (!Array.isArray(prefixItems)) throw fault(path, 'prefixItems is no list of schemas');
    const n = prefixItems.length;
    if (least > n || most < n) throw fault(path, `prefixItems has ${n} schemas, which minItems and maxItems rule out`);
    return tuple(prefixItems.map((one, i) => compile(one, `${path}.prefixItems[${i}]`)));
  }

  function objectRule(schema: Schema, path: string): Rule {
    const { properties = {}, required = [], additionalProperties: more = true, propertyNames } = schema;
    if (!isObject(properties)) throw fault(path, 'properties is no object');
    if (!Array.isArray(required) || !required.every((key) => typeof key === 'string')) throw fault(path, 'required is no list of names');
    const missing = required.find((key) => !Object.hasOwn(properties, key));
    if (missing !== undefined) throw fault(path, `${JSON.stringify(missing)} is required and not among its properties`, 'Name its schema.');
    const named = Object.entries(properties).map(([key, value]): Property => (
      { key, value: compile(value, `${path}.properties.${key}`), required: required.includes(key) }
    ));
    if (named.length > 0 || more === false) return object(named);
    const key = propertyNames === undefined ? string() : compile(propertyNames, `${path}.propertyNames`);
    return more === true && propertyNames === undefined ? OBJECT : map(key, compile(more, `${path}.additionalProperties`));
  }

  return compile(root, '');
}

function typesOf(schema: Schema, path: string): string[] {
  const { type } = schema;
  const unsaid = (): string[] => TYPES.filter((name) => name !== 'integer' && KEYS[name]!.some((key) => key in schema));
  const asked = type === undefined ? unsaid() : [type].flat();
  const types = asked.filter((name): name is string => typeof name === 'string' && TYPES.includes(name));
  const read = new Set(types.flatMap((name) => KEYS[name]!));
  const apart = new Set(['type', 'enum', 'const']);
  const unknown = Object.keys(schema).find((key) => !apart.has(key) && !read.has(key) && !NOTES.has(key));
  if (unknown !== undefined) throw fault(path, `${unknown} is not supported`, 'Leave it out of the schema, and check the answer for it.');
  if (types.length === 0 || types.length < asked.length) throw fault(path, `type is ${JSON.stringify(type)}`);
  return schema['nullable'] === true ? [...new Set([...types, 'null'])] : types;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

function count(schema: Schema, key: string, path: string): number | undefined {
  const value = schema[key];
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number | undefined;
  throw fault(path, `${key} is ${JSON.stringify(value)}`);
}

function boundsOf(schema: Schema, path: string): Bounds | undefined {
  const of = (key: string): number | undefined => {
    const value = schema[key];
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    throw fault(path, `${key} is ${JSON.stringify(value)}`);
  };
  const [minimum, above, maximum, below] = [of('minimum'), of('exclusiveMinimum'), of('maximum'), of('exclusiveMaximum')];
  if ([minimum, above, maximum, below].every((bound) => bound === undefined)) return undefined;
  const low = Math.max(minimum ?? -Infinity, above ?? -Infinity), high = Math.min(maximum ?? Infinity, below ?? Infinity);
  return { low, high, above: above === low, below: below === high };
}

/** What a JSON pointer within the schema names. */
function resolve(root: unknown, ref: string): unknown {
  const parts = decodeURIComponent(ref.slice(1)).split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const inside = (value: unknown, key: string): unknown => {
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    return isThere ? (value as Record<string, unknown>)[key] : undefined;
  };
  return parts.reduce<unknown>(inside, root);
}
