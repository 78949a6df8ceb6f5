/** Which keys a zod schema knows, and where they belong: what error messages say about a key that is unknown. */
import type { z } from 'zod';

import type { KeyPath } from './recipe-yaml.js';

type Schema = z.core.$ZodTypes;

const asSchema = (schema: unknown): Schema => schema as Schema;

/** The schemas that a value at this place may follow: wrappers taken off, unions spread. */
function variants(schema: Schema, depth = 0): Schema[] {
  if (depth > 20) return [];
  const def = schema._zod.def;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return variants(asSchema(def.innerType), depth + 1);
    case 'pipe': {
      const input = asSchema(def.in);
      return variants(input._zod.def.type === 'transform' ? asSchema(def.out) : input, depth + 1);
    }
    case 'lazy':
      return variants(asSchema(def.getter()), depth + 1);
    case 'union':
      return def.options.flatMap((option) => variants(asSchema(option), depth + 1));
    case 'intersection':
      return [def.left, def.right].flatMap((side) => variants(asSchema(side), depth + 1));
    default:
      return [schema];
  }
}

/** The schemas of the children named `key`. */
function child(schema: Schema, key: PropertyKey): Schema[] {
  const def = schema._zod.def;
  if (def.type === 'object') {
    const shape = def.shape as Record<PropertyKey, unknown>;
    return Object.hasOwn(shape, key) ? [asSchema(shape[key])] : [];
  }
  if (def.type === 'array') return [asSchema(def.element)];
  if (def.type === 'record') return [asSchema(def.valueType)];
  return [];
}

/** Whether a value's literals (such as `name: cut`) agree with this object schema: narrows a union to the meant branch. */
function agrees(schema: Schema, value: unknown): boolean {
  const def = schema._zod.def;
  if (def.type !== 'object' || typeof value !== 'object' || value === null) return true;
  return Object.entries(def.shape).every(([key, field]) => {
    const inner = asSchema(field)._zod.def;
    return inner.type !== 'literal' || inner.values.includes((value as Record<string, never>)[key]);
  });
}

/** The schemas that hold at `path`. */
export function schemaAt(schema: z.ZodType, path: KeyPath, value: unknown): readonly unknown[] {
  let at = variants(asSchema(schema));
  let here: unknown = value;
  for (const key of path) {
    const fitting = at.filter((one) => agrees(one, here));
    at = (fitting.length > 0 ? fitting : at).flatMap((one) => child(one, key)).flatMap((one) => variants(one));
    here = typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined;
  }
  return at;
}

/** The keys that these schemas know, those of the branch that `value` fits when there are several. */
export function keysOf(schemas: readonly unknown[], value: unknown): string[] {
  const all = schemas.map(asSchema);
  const fitting = all.filter((schema) => agrees(schema, value));
  const keys = (fitting.length > 0 ? fitting : all).flatMap((schema) => {
    const def = schema._zod.def;
    return def.type === 'object' ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}

/** Every key path in a schema, dotted, to find the section that a misplaced key belongs to. */
export function pathsOf(schema: z.ZodType): string[] {
  const found = new Set<string>();
  const walk = (schemas: readonly Schema[], prefix: string, depth: number): void => {
    if (depth > 6) return;
    for (const one of schemas) {
      const def = one._zod.def;
      if (def.type !== 'object') continue;
      for (const [key, field] of Object.entries(def.shape)) {
        const path = prefix ? `${prefix}.${key}` : key;
        found.add(path);
        walk(variants(asSchema(field)), path, depth + 1);
      }
    }
  };
  walk(variants(asSchema(schema)), '', 0);
  return [...found];
}

/** The literal values that these schemas allow: the members of enums and literals. */
export function valuesOf(schemas: readonly unknown[]): string[] {
  const values = schemas.map(asSchema).flatMap((schema): unknown[] => {
    const def = schema._zod.def;
    if (def.type === 'literal') return def.values;
    return def.type === 'enum' ? Object.values(def.entries) : [];
  });
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}
