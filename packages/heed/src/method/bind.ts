import type { RowDefinition } from '../data/row.js';
import type { AnyRow, RowKind, RowOf } from '../data/rows.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Among, BoundMethod, Method } from './method.js';

/** Options may be left out altogether where each of them has a default. */
type GivenOptions<Given> = Record<never, never> extends Given ? [given?: Given] : [given: Given];

/**
 * Binds a method to options: `bind(kto, { beta: 0.1 })`. An option that the method lacks does not compile. The rows that are learned from
 * must be of the method's kind.
 *
 * @param given the options; those left out have their defaults.
 * @throws ZodError for an option that the method lacks, and for a value out of its range
 */
export function bind<Kind extends RowKind | RowDefinition, Options, Name extends string, Given = unknown>(
  method: Method<Kind, Options, Name, Given>,
  ...[given]: GivenOptions<NoInfer<Given>>
): BoundMethod {
  return bindParsed(method, method.options.parse(given ?? {}));
}

/**
 * Binds a method to options that its schema has parsed, as those of a recipe are. They are not parsed again, since a schema may turn an
 * option into something that it would not take: the text of a number into the number.
 */
export function bindParsed<Kind extends RowKind | RowDefinition, Options, Name extends string, Given = unknown>(
  method: Method<Kind, Options, Name, Given>, options: Options,
): BoundMethod {
  type Row = RowOf<Kind>;
  const scope = method.scope?.(options) ?? 'row';
  const expected = method.lossAtReference?.(options);
  if (method.memory !== undefined && scope === 'row')
    throw new Error(`${method.name} has a memory, which needs the scope "step": micro-batches may not change what later ones see.`);
  return {
    name: method.name,
    row: method.row,
    names: method.names,
    lists: new Set(method.lists),
    detached: new Set(method.detached),
    columns: method.columns,
    listColumns: new Set(method.listColumns),
    tokenColumns: method.tokenColumns ?? {},
    entropies: new Set(method.entropies?.(options)),
    marks: new Set(method.marks?.(options)),
    references: method.references?.(options) ?? {},
    heads: method.heads?.(options) ?? {},
    scope,
    memory: method.memory ?? {},
    ...(expected === undefined ? {} : { lossAtReference: expected }),
    temperature: 1,
    filtered: false,
    sequences(row, text, among = { rows: [row], index: 0 }) {
      const given = method.sequences(row as Row, text, options, among as Among<Row>);
      return Object.fromEntries(method.names.flatMap((name): [string, readonly TokenSequence[]][] => {
        const found: TokenSequence | readonly TokenSequence[] | undefined = given[name];
        return found === undefined ? [] : [[name, 'prompt' in found ? [found] : found]];
      }));
    },
    columnsOf: (row) => method.columnsOf?.(row as Row, options) ?? {},
    ...(method.apart === undefined ? {} : { apart: method.apart }),
    flags: method.flags?.(options),
    unused: method.unused ?? `of no use to ${method.name}`,
    uses: (row) => method.uses?.(row as Row, options) ?? true,
    unfit: (row) => method.unfit?.(row as Row, options),
    unfitTogether: (rows) => method.unfitTogether?.(rows as readonly Row[], options),
    hinders: (rows) => method.hinders?.(rows as readonly Row[], options) ?? [],
    select: (rows, random) => (method.select?.(rows as readonly Row[], options, random) ?? rows) as readonly AnyRow[],
    loss: (scored) => method.loss(scored, options),
    credit: method.credit === undefined ? undefined : (rollouts) => method.credit!(rollouts, options),
    reads: method.reads?.(options) ?? { reference: false },
    averagesAdvantages: method.averagesAdvantages?.(options),
  };
}
