import { z } from 'zod';
import type { Reference } from './method.js';

/**
 * `reference` of a recipe: `base`, the model with the adapter switched off; `round`, the policy as the round began; or the folder of a
 * saved adapter.
 */
export const reference = z.string().min(1).default('base');

/** The reference that the option names. */
export const referenceOf = (name: string): Reference => (name === 'base' || name === 'round' ? name : { adapter: name });

/** How a judgment enters the prompt: a text with {instruction} and {judgment}. Left out, the template's own wording. */
export const judgmentFormat = z
  .string()
  .refine((s) => s.includes('{judgment}') && s.includes('{instruction}'), 'must contain {instruction} and {judgment}')
  .optional();

type All<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape, z.core.$strict>>;
/** Options as they are written: those with a default may be left out. */
type Given<Shape extends z.ZodRawShape> = z.input<z.ZodObject<Shape, z.core.$strict>>;
/** Options as a method gets them: one that may be ignored is absent where it is. */
type Used<Shape extends z.ZodRawShape, Key extends keyof All<Shape>> = Omit<All<Shape>, Key> & Partial<Pick<All<Shape>, Key>>;
/** What is wrong with an option beside the other options, in words for the user; undefined where it fits them. */
type Fault<Options> = (options: Options) => string | undefined;

/** How options depend on each other. */
interface Dependencies<Options, Name extends PropertyKey, Key extends PropertyKey> {
  /**
   * Why an option means nothing beside the others. The functions are asked in the order given, and each sees the options without
   * those that are already known to mean nothing.
   */
  readonly ignored: Readonly<Record<Key, Fault<Options>>>;
  /** Why the value of an option contradicts the others. */
  readonly wrong?: Readonly<Partial<Record<Name, Fault<Options>>>>;
}

/**
 * The options of a method of which some mean nothing beside others: `gamma` with `alpha: 0`, say.
 *
 * An ignored option that the recipe gives is an error, even where the value given is the default. An ignored option that the recipe
 * leaves out is also left out of the parsed options. So the parsed options hold each value that is used and no other, and parsing
 * them again gives the same.
 *
 * @param shape a schema for each option, with its default
 */
export function optionsWith<Shape extends z.ZodRawShape, Key extends keyof All<Shape> & string>(
  shape: Shape,
  { ignored, wrong }: Dependencies<NoInfer<Used<Shape, Key>>, keyof Shape, Key>,
): z.ZodType<Used<Shape, Key>, Given<Shape>> {
  const mayBeIgnored = Object.keys(ignored) as Key[];
  const field = (name: string): z.ZodType => shape[name] as z.ZodType;
  const defaults = Object.fromEntries(mayBeIgnored.map((name) => [name, field(name).parse(undefined)]));
  // Without their defaults, so that an option given can be told from one left out.
  const told = Object.fromEntries(mayBeIgnored.map((name) => [name, withoutDefault(field(name))]));

  // An option without its default may still be left out, so that what may be given is what `shape` says.
  const schema = z.strictObject({ ...shape, ...told }) as unknown as z.ZodType<Record<string, unknown>, Given<Shape>>;
  return schema.transform((raw, context) => {
    const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined));
    const options: Record<string, unknown> = { ...defaults, ...given };
    const report = (name: string, message: string): void => context.addIssue({ code: 'custom', path: [name], message, input: given[name] });
    for (const name of mayBeIgnored) {
      const reason = ignored[name](options as Used<Shape, Key>);
      if (reason === undefined) continue;
      delete options[name];
      if (name in given) report(name, reason);
    }
    for (const name of Object.keys(shape)) {
      const reason = wrong?.[name]?.(options as Used<Shape, Key>);
      if (reason !== undefined) report(name, reason);
    }
    // In the order of the schema, whatever was given and whatever is a default.
    const names = Object.keys(shape).filter((name) => options[name] !== undefined);
    return Object.fromEntries(names.map((name) => [name, options[name]])) as Used<Shape, Key>;
  });
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType).optional() : schema;
}

/** The options of a method as a recipe's `method:` has them: beside the method's name, which comes first. */
export function withName(name: string, options: z.ZodType): z.ZodType {
  const named = { name: z.literal(name) };
  const whole = options instanceof z.ZodPipe
    ? (options.in as z.ZodObject).safeExtend(named).pipe(options.out as z.ZodType<unknown, Record<string, unknown>>)
    : (options as z.ZodObject).safeExtend(named).strict();
  return whole.transform((given) => ({ name, ...(given as object) }));
}
