import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

/** What tools/oracles/weights_fixtures.py wrote. */
export const fixture = (name: string): string => path.join(import.meta.dirname, '../fixtures/weights', name);
export const json = <T>(file: string): T => JSON.parse(fs.readFileSync(file, 'utf8')) as T;

/** A folder that is removed after the test file. */
export function scratch(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'heed-test-'));
  afterAll(() => { fs.rmSync(folder, { recursive: true, force: true }); });
  return folder;
}

export const hex = (values: Float32Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
