/** What a verb prints: for people by default, one JSON object for machines with --json. */
import pc from 'picocolors';

import { clearBars } from '../run/bars.js';

/** A stream that takes text. */
export interface Sink {
  write(text: string): unknown;
  /** As Node's terminals have them. */
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a verb prints. */
export interface Output {
  readonly json: boolean;
  /** The terminal that stdout is; undefined for files, pipes and with --json. */
  readonly terminal: { readonly columns: number; readonly colour: boolean } | undefined;
  /** Styles for notes: none where stderr is a file, a pipe or a log of CI. */
  readonly styles: ReturnType<typeof pc.createColors>;
  /** Text for people as it comes, on stdout; nothing with --json. */
  write(text: string): void;
  /** A line for people, on stdout; nothing with --json. */
  say(line: string): void;
  /** A line on stderr, with --json too. */
  note(line: string): void;
  /** The verb's result, once, at its end: with --json the object as one line, else `human`. */
  result(value: object, human?: string): void;
}

interface OutputOptions {
  readonly json: boolean;
  readonly stdout?: Sink;
  readonly stderr?: Sink;
}

/** An `Output` on the given streams. */
export function createOutput({ json, stdout = process.stdout, stderr = process.stderr }: OutputOptions): Output {
  const colour = !process.env['NO_COLOR'];
  return {
    json,
    get terminal() {
      // Read anew each time: the user may resize the window.
      return json || stdout.isTTY !== true ? undefined : { columns: stdout.columns ?? 80, colour };
    },
    styles: pc.createColors(stderr.isTTY === true && colour),
    write(text) {
      if (!json) stdout.write(text);
    },
    say(line) {
      if (!json) stdout.write(`${line}\n`);
    },
    note(line) {
      clearBars();
      stderr.write(`${line}\n`);
    },
    result(value, human) {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
      else if (human !== undefined) stdout.write(`${human}\n`);
    },
  };
}

/** A word of a command that can be pasted into a shell: in quotes where it needs them. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Cells in aligned columns; the first row is the header. The caller writes the numbers. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ').trimEnd();
  return rows.map(line).join('\n');
}
