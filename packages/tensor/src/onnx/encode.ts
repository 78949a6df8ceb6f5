import type { Attribute, DType, OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './model.js';

/** Element types as ONNX numbers them (TensorProto.DataType). */
export const onnxType: Readonly<Record<DType, number>> = {
  float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, bfloat16: 16, uint4: 21, int4: 22,
};

/** Bytes of one element. */
export const bytesOf: Readonly<Record<DType, number>> = {
  float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, bool: 1, float16: 2, bfloat16: 2, uint4: 0.5, int4: 0.5,
};

/** Protocol buffers have no messages beyond this size, whatever the runtime. */
const LARGEST = 2 ** 31 - 1;
const IR_VERSION = 10;
const OPSETS = [['', 21], ['com.microsoft', 1]] as const;

/**
 * The model as ONNX protobuf bytes: IR version 10, opset 21 and com.microsoft 1. Initializers that name a file become
 * external data (`location`, `offset`, `length`); all others are written inline. Throws when an initializer's bytes do not fit
 * its shape, or when the model passes 2 GB.
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  const inline = model.initializers.reduce((sum, { data }) => sum + (data instanceof Uint8Array ? data.byteLength : 0), 0);
  if (inline > LARGEST) {
    throw new Error(
      `The initializers hold ${inline} bytes, but an ONNX model must stay below 2 GB: keep them in a file, or feed them as inputs.`,
    );
  }
  const w = new Writer(inline + 160 * model.nodes.length + 65536);
  w.int(1, IR_VERSION);
  w.string(2, 'heed');
  w.message(7, () => {
    for (const node of model.nodes) w.message(1, () => writeNode(w, node));
    w.string(2, 'graph');
    for (const initializer of model.initializers) w.message(5, () => writeInitializer(w, initializer));
    for (const value of model.inputs) w.message(11, () => writeValue(w, value));
    for (const value of model.outputs) w.message(12, () => writeValue(w, value));
  });
  for (const [domain, version] of OPSETS) {
    w.message(8, () => {
      w.string(1, domain);
      w.int(2, version);
    });
  }
  return w.finish();
}

function writeNode(w: Writer, node: OnnxNode): void {
  for (const input of node.inputs) w.string(1, input);
  for (const output of node.outputs) w.string(2, output);
  w.string(3, node.name);
  w.string(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) w.message(5, () => writeAttribute(w, name, attribute));
  if (node.domain !== '') w.string(7, node.domain);
}

function writeAttribute(w: Writer, name: string, attribute: Attribute): void {
  w.string(1, name);
  if ('float' in attribute) {
    w.float(2, attribute.float);
    w.int(20, 1);
  } else if ('int' in attribute) {
    w.int(3, attribute.int);
    w.int(20, 2);
  } else if ('string' in attribute) {
    w.string(4, attribute.string);
    w.int(20, 3);
  } else if ('floats' in attribute) {
    for (const value of attribute.floats) w.float(7, value);
    w.int(20, 6);
  } else {
    for (const value of attribute.ints) w.int(8, value);
    w.int(20, 7);
  }
}

function writeInitializer(w: Writer, { name, dtype, shape, data }: OnnxInitializer): void {
  const expected = Math.ceil(shape.reduce((product, dim) => product * dim, 1) * bytesOf[dtype]);
  const given = data instanceof Uint8Array ? data.byteLength : data.length;
  if (given !== expected) {
    throw new Error(`Initializer "${name}" is ${dtype} [${shape.join(', ')}] and needs ${expected} bytes, not ${given}.`);
  }
  for (const dim of shape) w.int(1, dim);
  w.int(2, onnxType[dtype]);
  w.string(8, name);
  if (data instanceof Uint8Array) {
    w.bytes(9, data);
    return;
  }
  for (const [key, value] of [['location', data.file], ['offset', String(data.offset)], ['length', String(data.length)]] as const) {
    w.message(13, () => {
      w.string(1, key);
      w.string(2, value);
    });
  }
  w.int(14, 1);
}

function writeValue(w: Writer, { name, dtype, shape }: OnnxValue): void {
  w.string(1, name);
  w.message(2, () => w.message(1, () => {
    w.int(1, onnxType[dtype]);
    if (shape === undefined) return;
    w.message(2, () => {
      for (const dim of shape) {
        w.message(1, () => {
          if (typeof dim === 'number') w.int(1, dim);
          else w.string(2, dim);
        });
      }
    });
  }));
}

/** Appends protobuf fields to one growing array. */
class Writer {
  private array: Uint8Array;
  private view: DataView;
  private at = 0;
  private readonly text = new TextEncoder();

  constructor(capacity: number) {
    this.array = new Uint8Array(capacity);
    this.view = new DataView(this.array.buffer);
  }

  int(field: number, value: number): void {
    if (!Number.isSafeInteger(value)) throw new Error(`An ONNX integer must be a whole number below 2^53, not ${value}.`);
    this.room(20);
    this.varint(field << 3);
    if (value >= 0) {
      this.varint(value);
      return;
    }
    // Negative numbers are the ten bytes of their 64-bit two's complement.
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.array[this.at++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.array[this.at++] = Number(rest);
  }

  float(field: number, value: number): void {
    this.room(15);
    this.varint((field << 3) | 5);
    this.view.setFloat32(this.at, value, true);
    this.at += 4;
  }

  string(field: number, value: string): void {
    // A graph is mostly names, and they are mostly ASCII: writing these here is several times faster than encoding each.
    this.room(20 + value.length);
    const start = this.at;
    this.varint((field << 3) | 2);
    this.varint(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.at = start;
        this.bytes(field, this.text.encode(value));
        return;
      }
      this.array[this.at++] = code;
    }
  }

  bytes(field: number, value: Uint8Array): void {
    this.room(20 + value.byteLength);
    this.varint((field << 3) | 2);
    this.varint(value.byteLength);
    this.array.set(value, this.at);
    this.at += value.byteLength;
  }

  /** The length is only known afterwards, so five bytes are kept for it: a varint may be padded. Nothing is copied twice. */
  message(field: number, body: () => void): void {
    this.room(20);
    this.varint((field << 3) | 2);
    const start = this.at;
    this.at += 5;
    body();
    let length = this.at - start - 5;
    for (let i = 0; i < 5; i++) {
      this.array[start + i] = (length & 127) | (i < 4 ? 128 : 0);
      length >>>= 7;
    }
  }

  finish(): Uint8Array {
    return this.array.slice(0, this.at);
  }

  private varint(value: number): void {
    while (value > 127) {
      this.array[this.at++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.array[this.at++] = value;
  }

  private room(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.array.length) return;
    if (needed > LARGEST)
      throw new Error(`The model passes 2 GB after ${this.at} bytes: keep initializers in a file, or feed them as inputs.`);
    const grown = new Uint8Array(Math.min(LARGEST, Math.max(needed, 2 * this.array.length)));
    grown.set(this.array.subarray(0, this.at));
    this.array = grown;
    this.view = new DataView(grown.buffer);
  }
}
