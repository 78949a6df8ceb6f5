import { evaluate, showShape } from '../dims.js';
import type { Port, Program } from '../program.js';
import { dtypeOf, elements, holds, hostName, ownCopy } from './arrays.js';
import type { HostArray, View } from './arrays.js';
import { DeviceFailed } from './device-failed.js';
import { packViews } from './messages.js';
import type { RunRequest } from './messages.js';
import { bindPort, checkComposite, checkOutput, copyOf, noBindings } from './ports.js';
import type { Bindings } from './ports.js';
import type { Thread } from './thread.js';

/** An input: memory of the engine, or an array of the host that is copied into the run. */
export type Feed = View | { readonly data: HostArray; readonly shape: readonly number[] };

export interface HostTensor {
  data: HostArray;
  shape: number[];
}

/** A compiled program. Symbolic dimensions are bound anew by each run's feeds; nothing is compiled again. */
export interface Session {
  readonly program: Program;
  /**
   * Runs the program. Every input must be fed, here or by `bind`. Outputs named in `into` are written straight into engine memory,
   * which may be that of an input if the program allows it; all others come back as host arrays. Rejects, naming the
   * port, when a name, element type or shape does not fit. Runs of one engine are done in the order of the calls. `on`: the machine of a
   * team that runs it alone (`Team`); elsewhere it has no meaning.
   */
  run(
    feeds: Readonly<Record<string, Feed>>, into?: Readonly<Record<string, View>>, options?: { readonly on?: number },
  ): Promise<Record<string, HostTensor>>;
  /** Feeds these inputs, and writes these outputs, in every later run that does not say otherwise. Adds to earlier calls. */
  bind(feeds: Readonly<Record<string, View>>, into?: Readonly<Record<string, View>>): void;
  /** Frees the session and all memory of its activations. */
  release(): Promise<void>;
}

/** Throws unless this view is of live memory of the session's engine. `what` begins the message. */
export type CheckView = (view: View, what: string) => void;

export class EngineSession implements Session {
  private readonly inputs: Side;
  private readonly outputs: Side;
  private readonly boundFeeds = new Map<number, View>();
  private readonly boundInto = new Map<number, View>();
  private readonly unsentFeeds = new Map<number, View>();
  private readonly unsentInto = new Map<number, View>();
  private boundSymbols = noBindings();
  /** The plan that the worker has from the run before. */
  private planned: Plan | undefined;

  constructor(
    private readonly thread: Thread, private readonly id: number, readonly program: Program, private readonly check: CheckView,
    private readonly onRelease: () => void,
  ) {
    this.inputs = side('input', program.inputs);
    this.outputs = side('output', program.outputs);
  }

  bind(feeds: Readonly<Record<string, View>>, into: Readonly<Record<string, View>> = {}): void {
    const newFeeds = this.place(this.inputs, feeds);
    const newInto = this.place(this.outputs, into);
    const symbols = noBindings();
    for (const [slot, view] of new Map([...this.boundFeeds, ...newFeeds])) bindFeed(this.inputs.ports[slot]!, view, symbols);
    this.boundSymbols = symbols;
    for (const [slot, view] of newFeeds) {
      this.boundFeeds.set(slot, view);
      this.unsentFeeds.set(slot, view);
    }
    for (const [slot, view] of newInto) {
      this.boundInto.set(slot, view);
      this.unsentInto.set(slot, view);
    }
  }

  async run(
    feeds: Readonly<Record<string, Feed>>, into: Readonly<Record<string, View>> = {}, { on }: { readonly on?: number } = {},
  ): Promise<Record<string, HostTensor>> {
    const given = this.place(this.inputs, feeds);
    const targets = this.place(this.outputs, into);
    this.checkBound(this.inputs, this.boundFeeds, given);
    this.checkBound(this.outputs, this.boundInto, targets);
    const symbols = this.symbolsOf(given).values;
    const plan = this.plan(symbols);
    const returned: number[] = [];
    for (const [slot, port] of this.outputs.ports.entries()) {
      const target = targets.get(slot) ?? this.boundInto.get(slot);
      if (target === undefined) returned.push(slot);
      else checkOutput(port, plan.shapes[slot]!, target.buffer.dtype, target.shape);
    }

    const views = new Map<number, View>();
    const host: RunRequest['host'][number][] = [];
    for (const [slot, feed] of given) {
      if ('buffer' in feed) views.set(slot, feed);
      else host.push({ slot, data: ownCopy(feed.data, this.inputs.ports[slot]!.dtype), shape: feed.shape });
    }
    const request: RunRequest = {
      kind: 'run', session: this.id, plan: plan === this.planned ? undefined : plan, host,
      bind: takeAll(this.unsentFeeds), bindInto: takeAll(this.unsentInto), feeds: packViews([...views]), into: packViews([...targets]),
      on, writes: returned.length < this.outputs.ports.length,
    };
    this.planned = plan;
    try {
      const fresh = (await this.thread.ask(request, host.map(({ data }) => data.buffer))) as HostArray[];
      return Object.fromEntries(
        returned.map((slot, i) => [this.outputs.ports[slot]!.name, { data: fresh[i]!, shape: [...plan.shapes[slot]!] }]),
      );
    } catch (error) {
      this.planned = undefined;
      const ofDevice = error instanceof DeviceFailed;
      if (hasName(error) && !ofDevice) throw error;
      const message = `${(error as Error).message}\n  The program was run with ${this.context(given, symbols)}.`;
      throw ofDevice ? new DeviceFailed(message, { cause: error }) : new Error(message, { cause: error });
    }
  }

  async release(): Promise<void> {
    this.onRelease();
    await this.thread.ask({ kind: 'release', session: this.id });
  }

  private place<F extends Feed>({ kind, ports, slots }: Side, feeds: Readonly<Record<string, F>>): Map<number, F> {
    const placed = new Map<number, F>();
    for (const [name, feed] of Object.entries(feeds)) {
      const slot = slots.get(name);
      if (slot === undefined)
        throw new Error(`The program has no ${kind} "${name}". It has ${some(ports.map((port) => `"${port.name}"`))}.`);
      if ('buffer' in feed) this.check(feed, `${kind} "${name}"`);
      else checkHost(ports[slot]!, feed);
      placed.set(slot, feed);
    }
    return placed;
  }

  private checkBound({ kind, ports }: Side, bound: ReadonlyMap<number, View>, given: ReadonlyMap<number, Feed>): void {
    for (const [slot, view] of bound) if (!given.has(slot)) this.check(view, `${kind} "${ports[slot]!.name}"`);
  }

  private symbolsOf(given: ReadonlyMap<number, Feed>): Bindings {
    const { ports } = this.inputs;
    const overrides = [...given.keys()].some((slot) => this.boundFeeds.has(slot));
    const symbols = overrides ? noBindings() : copyOf(this.boundSymbols);
    if (overrides) for (const [slot, view] of this.boundFeeds) if (!given.has(slot)) bindFeed(ports[slot]!, view, symbols);
    for (const [slot, feed] of given) bindFeed(ports[slot]!, feed, symbols);
    const missing = ports.filter((_, slot) => !given.has(slot) && !this.boundFeeds.has(slot));
    if (missing.length > 0)
      throw new Error(`Nothing is fed to ${some(missing.map((port) => `"${port.name}" (${port.dtype} ${showShape(port.shape)})`))}.`);
    checkComposite(symbols);
    return symbols;
  }

  /** Size vectors and output shapes for these symbols. */
  private plan(symbols: Readonly<Record<string, number>>): Plan {
    const key = JSON.stringify(symbols);
    if (key === this.planned?.key) return this.planned;
    return {
      key,
      shapes: this.program.outputs.map((port) => port.shape.map((dim) => evaluate(dim, symbols))),
      sizes: this.program.sizes.map(({ values }) => values.map((dim) => evaluate(dim, symbols))),
    };
  }

  private context(given: ReadonlyMap<number, Feed>, symbols: Readonly<Record<string, number>>): string {
    const feeds = [...given].map(
      ([slot, feed]) => `${this.inputs.ports[slot]!.name}: ${this.inputs.ports[slot]!.dtype} ${showShape(feed.shape)}`,
    );
    const sizes = Object.entries(symbols).map(([name, value]) => `${name} = ${value}`);
    return [some(feeds), ...(this.boundFeeds.size > 0 ? [`${this.boundFeeds.size} bound inputs`] : []), ...sizes].join('; ');
  }
}

/** Whether an error is of a kind that callers tell apart: it goes to them as it is. */
export const hasName = (error: unknown): boolean => error instanceof Error && error.name !== 'Error';

/** What a run needs to know besides its feeds, for given values of the symbols. */
interface Plan {
  readonly key: string;
  readonly sizes: number[][];
  readonly shapes: number[][];
}

/** The inputs or the outputs, with the place of each name. */
interface Side {
  readonly kind: 'input' | 'output';
  readonly ports: readonly Port[];
  readonly slots: ReadonlyMap<string, number>;
}

const side = (kind: Side['kind'], ports: readonly Port[]): Side => ({
  kind,
  ports,
  slots: new Map(ports.map(({ name }, slot) => [name, slot])),
});

function takeAll(unsent: Map<number, View>): Float64Array | undefined {
  if (unsent.size === 0) return undefined;
  const packed = packViews([...unsent]);
  unsent.clear();
  return packed;
}

function bindFeed(port: Port, feed: Feed, symbols: Bindings): void {
  bindPort(port, 'buffer' in feed ? feed.buffer.dtype : port.dtype, feed.shape, symbols);
}

function checkHost(port: Port, { data, shape }: { readonly data: HostArray; readonly shape: readonly number[] }): void {
  if (!holds(data, port.dtype)) {
    throw new Error(
      `Input "${port.name}" is ${port.dtype} ${showShape(port.shape)} and takes a ${hostName(port.dtype)}, but was given ` +
      `${dtypeOf(data)} ${showShape(shape)}.`,
    );
  }
  if (data.length !== elements(shape)) {
    throw new Error(
      `Input "${port.name}" was given ${data.length} elements for the shape ${showShape(shape)}, which has ${elements(shape)}.`,
    );
  }
}

const SHOWN = 8;
const some = (items: readonly string[]): string =>
  items.length === 0 ? 'none' : items.slice(0, SHOWN).join(', ') + (items.length > SHOWN ? ` and ${items.length - SHOWN} more` : '');
