/*
 * Frames between Heed and the gateway of a cluster (workers/ray/heed_worker/frames.py): u32 bytes of the head, u64 bytes of the body, both
 * little-endian; the head, as JSON; the body. `arrays` of the head lists element type and length of each array. Each begins at a multiple
 * of 64 bytes of the body. Elsewhere in the head `{"array": i}` stands for array i.
 */

/** Arrays that cross the network. */
export type Sent = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array | Uint16Array;

const PREFIX = 12;
const ALIGNED = 64;
const aligned = (size: number): number => Math.ceil(size / ALIGNED) * ALIGNED;

/** What holds each element type that a worker sends. */
const HOLDERS = {
  float32: Float32Array, float64: Float64Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array, int8: Int8Array,
  bool: Uint8Array, float16: Uint16Array, bfloat16: Uint16Array,
} as const;

/** The element type by which an array is sent. A worker takes the type of a port or buffer where that is another of the same size. */
function typeOf(array: Sent): keyof typeof HOLDERS {
  for (const [name, holder] of Object.entries(HOLDERS)) if (array instanceof holder) return name as keyof typeof HOLDERS;
  throw new Error(`No worker takes ${Object.prototype.toString.call(array)}.`);
}

/** A head and its arrays as the parts of a frame, to be written one after the other. Arrays anywhere in the head are taken out of it. */
export function encodeFrame(head: object): Uint8Array[] {
  const arrays: Sent[] = [];
  const text = JSON.stringify(head, (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    arrays.push(value as Sent);
    return { array: arrays.length - 1 };
  });
  const listed = JSON.stringify(arrays.map((array) => [typeOf(array), array.length]));
  const whole = Buffer.from(`${text.slice(0, -1)}${text === '{}' ? '' : ','}"arrays":${listed}}`);
  const body = arrays.flatMap((array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const rest = aligned(bytes.length) - bytes.length;
    return rest === 0 ? [bytes] : [bytes, new Uint8Array(rest)];
  });
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32LE(whole.length, 0);
  prefix.writeBigUInt64LE(BigInt(body.reduce((sum, part) => sum + part.length, 0)), 4);
  return [prefix, whole, ...body];
}

/** A frame's head, and its arrays in order. Each array owns its memory. */
export interface Frame {
  readonly head: Readonly<Record<string, unknown>>;
  readonly arrays: readonly Sent[];
}

/** Puts frames together from the pieces of a stream. */
export function frameReader(onFrame: (frame: Frame) => void): (piece: Uint8Array) => void {
  const pieces: Uint8Array[] = [];
  let held = 0;
  let sizes: { readonly head: number; readonly body: number } | undefined;

  function take(size: number): Buffer {
    const out = Buffer.alloc(size);
    let at = 0;
    while (at < size) {
      const first = pieces[0]!;
      const part = first.subarray(0, size - at);
      out.set(part, at);
      at += part.length;
      if (part.length === first.length) pieces.shift();
      else pieces[0] = first.subarray(part.length);
    }
    held -= size;
    return out;
  }

  return (piece) => {
    pieces.push(piece);
    held += piece.length;
    for (;;) {
      if (sizes === undefined) {
        if (held < PREFIX) return;
        const prefix = take(PREFIX);
        sizes = { head: prefix.readUInt32LE(0), body: Number(prefix.readBigUInt64LE(4)) };
      }
      if (held < sizes.head + sizes.body) return;
      const head = JSON.parse(take(sizes.head).toString()) as Record<string, unknown>;
      const body = take(sizes.body);
      sizes = undefined;
      onFrame({ head, arrays: arraysOf(head['arrays'] as [keyof typeof HOLDERS, number][], body) });
    }
  };
}

function arraysOf(listed: readonly (readonly [keyof typeof HOLDERS, number])[], body: Buffer): Sent[] {
  let at = 0;
  return listed.map(([type, length]) => {
    const holder = HOLDERS[type];
    const array = new holder(length);
    const size = array.byteLength;
    if (at + size > body.length) throw new Error('A frame of the gateway ends within an array.');
    new Uint8Array(array.buffer).set(body.subarray(at, at + size));
    at += aligned(size);
    return array;
  });
}
