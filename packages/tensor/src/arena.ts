/**
 * ONNX Runtime's CPU arena (BFCArena: best fit with coalescing, regions that double) as far as memory is concerned: what it hands
 * out, how chunks split and merge, and which pages were ever written. Pages are never given back while a session lives.
 */
export class Arena {
  private readonly free: Chunk[] = [];
  private nextRegion = FIRST_REGION;
  private regions = 0;
  private readonly touched: number[] = [];

  /** Bytes written at least once: resident for good. */
  get resident(): number {
    return this.touched.reduce((a, b) => a + b, 0);
  }

  allocate(bytes: number): Chunk | undefined {
    if (bytes === 0) return undefined;
    const size = Math.ceil(bytes / GRAIN) * GRAIN;
    let at = this.firstAtLeast(size);
    if (at === this.free.length) {
      this.extend(size);
      at = this.firstAtLeast(size);
    }
    const chunk = this.free.splice(at, 1)[0]!;
    // A chunk of less than twice the size is given away whole, unless that wastes much.
    if (chunk.size >= 2 * size || chunk.size - size >= MOST_DEAD) {
      const rest: Chunk = {
        region: chunk.region,
        start: chunk.start + size,
        size: chunk.size - size,
        free: true,
        before: chunk,
        after: chunk.after,
      };
      if (chunk.after !== undefined) chunk.after.before = rest;
      chunk.after = rest;
      chunk.size = size;
      this.insert(rest);
    }
    chunk.free = false;
    // What was split off lies behind, so the pages ever written are close to a prefix of the region.
    this.touched[chunk.region] = Math.max(this.touched[chunk.region]!, chunk.start + size);
    return chunk;
  }

  release(chunk: Chunk): void {
    chunk.free = true;
    let merged = chunk;
    if (chunk.after?.free === true) {
      this.remove(chunk.after);
      merge(chunk, chunk.after);
    }
    if (chunk.before?.free === true) {
      merged = chunk.before;
      this.remove(merged);
      merge(merged, chunk);
    }
    this.insert(merged);
  }

  private extend(size: number): void {
    const grown = size > this.nextRegion;
    while (size > this.nextRegion) this.nextRegion *= 2;
    this.insert({ region: this.regions++, start: 0, size: this.nextRegion, free: true });
    this.touched.push(0);
    if (!grown) this.nextRegion = Math.min(this.nextRegion * 2, LARGEST_REGION);
  }

  private insert(chunk: Chunk): void {
    let [low, high] = [0, this.free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.free[middle]!, chunk) < 0) low = middle + 1;
      else high = middle;
    }
    this.free.splice(low, 0, chunk);
  }

  private remove(chunk: Chunk): void {
    this.free.splice(this.free.indexOf(chunk), 1);
  }

  private firstAtLeast(size: number): number {
    let [low, high] = [0, this.free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.free[middle]!.size < size) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export interface Chunk {
  readonly region: number;
  readonly start: number;
  size: number;
  free: boolean;
  before?: Chunk | undefined;
  after?: Chunk | undefined;
}

const GRAIN = 256;
const FIRST_REGION = 2 ** 20;
const LARGEST_REGION = 2 ** 30;
const MOST_DEAD = 2 ** 27;

/** By size, then by address: later regions lie lower, as mmap places them. */
const compare = (a: Chunk, b: Chunk): number => a.size - b.size || b.region - a.region || a.start - b.start;

function merge(chunk: Chunk, after: Chunk): void {
  chunk.size += after.size;
  chunk.after = after.after;
  if (after.after !== undefined) after.after.before = chunk;
}
