import fs from 'node:fs';
import { CheckpointError, reason } from './error.js';

/** Random access to bytes: a file, or memory (the fuzz tests). The parsers never read past `size`. */
export interface ByteSource {
  /** How errors call it. */
  readonly label: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws when the source has fewer. The result may be a view that must not be written. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array, label = 'memory'): ByteSource {
  return {
    label, size: bytes.length,
    read(offset, length) {
      if (offset + length > bytes.length) throw truncated(label, bytes.length, offset + length);
      return bytes.subarray(offset, offset + length);
    },
    close() { /* nothing is held */ },
  };
}

/** A source over a file. Close it. */
export function fileSource(path: string): ByteSource {
  let fd: number;
  try {
    fd = fs.openSync(path, 'r');
  } catch (error) {
    throw new CheckpointError(`${path}: could not be opened: ${reason(error)}`, { cause: error });
  }
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) {
    fs.closeSync(fd);
    throw new CheckpointError(`${path}: is not a file`);
  }
  return {
    label: path, size: stat.size,
    read(offset, length) {
      if (offset + length > stat.size) throw truncated(path, stat.size, offset + length);
      const out = Buffer.allocUnsafeSlow(length);
      for (let done = 0; done < length;) {
        const got = fs.readSync(fd, out, done, length - done, offset + done);
        if (got === 0) throw truncated(path, offset + done, offset + length);
        done += got;
      }
      return out;
    },
    close() { fs.closeSync(fd); },
  };
}

function truncated(label: string, size: number, needed: number): CheckpointError {
  return new CheckpointError(`${label}: is truncated: it has ${size} bytes where at least ${needed} are needed; fetch it again`);
}
