import { gunzipSync } from 'node:zlib';
import { UserError } from '../errors.js';
import { problemsError, type Problem } from './problem.js';

/** One line of a text file, without its line break. */
export interface TextLine {
  readonly line: number;
  readonly text: string;
}

const NEWLINE = 0x0a;

/** Unpacks `.gz`; anything else is returned as it is. */
export function unpack(file: string, bytes: Uint8Array): Uint8Array {
  if (!file.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new UserError(`${file} cannot be unpacked as gzip: ${(cause as Error).message}`, [], { cause });
  }
}

/**
 * Decodes UTF-8 line by line. Bytes that are not UTF-8 are an error that lists every such line:
 * replacing them (what most readers do) would train the model on "�".
 * A byte order mark at the start is dropped.
 */
export function decodeLines(file: string, bytes: Uint8Array): TextLine[] {
  refuseUtf16(file, bytes);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const lines: TextLine[] = [];
  const problems: Problem[] = [];
  const body = withoutMark(bytes);
  for (let line = 1, start = 0; start <= body.length; line++) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    const piece = body.subarray(start, end);
    try {
      lines.push({ line, text: decoder.decode(piece) });
    } catch {
      const readable = new TextDecoder('utf-8').decode(piece);
      problems.push({ source: { file, line }, reason: 'is not UTF-8', value: aroundReplacement(readable) });
    }
    start = end + 1;
  }
  if (problems.length > 0) {
    throw problemsError(`${file} is not UTF-8 text (${count(problems.length, 'line')})`, problems, [
      'Save the file as UTF-8, for instance: iconv -f WINDOWS-1252 -t UTF-8 old > new',
    ]);
  }
  return lines;
}

/** The bytes after a UTF-8 byte order mark, where there is one. */
export function withoutMark(bytes: Uint8Array): Uint8Array {
  return startsWith(bytes, [0xef, 0xbb, 0xbf]) ? bytes.subarray(3) : bytes;
}

function refuseUtf16(file: string, bytes: Uint8Array): void {
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff])) {
    throw new UserError(`${file} is UTF-16 text (it starts with a UTF-16 byte order mark)`, [
      'Save the file as UTF-8, for instance: iconv -f UTF-16 -t UTF-8 old > new',
    ]);
  }
}

function startsWith(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, index) => bytes[index] === byte);
}

function aroundReplacement(text: string): string {
  const where = text.indexOf('\ufffd');
  return text.slice(Math.max(0, where - 20), where + 20);
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
