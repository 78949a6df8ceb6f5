import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { environmentFolder, workerPython } from '../../src/cluster/environment.js';
import { openEngine } from '../../src/cluster/open.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
afterEach(() => vi.unstubAllEnvs());

describe('the Python of local workers', () => {
  it('is HEED_PYTHON, or the environment in the cache once that is whole', () => {
    vi.stubEnv('HEED_CACHE', folder);
    expect(workerPython({ HEED_PYTHON: '/opt/python' })).toBe('/opt/python');
    const refused = expect.objectContaining({
      message: `Workers on this machine need Ray, and ${environmentFolder()} does not hold it.`,
      hints: expect.arrayContaining([expect.stringContaining('npx heed cluster install')]) as string[],
    }) as Error;
    expect(() => workerPython({})).toThrow(refused);
    mkdirSync(join(environmentFolder(), 'bin'), { recursive: true });
    expect(() => workerPython({})).toThrow(refused);
    writeFileSync(join(environmentFolder(), 'heed-installed'), '');
    expect(workerPython({})).toMatch(/ray-[\da-f]{12}.(bin|Scripts).python/);
  });

  it('says what it said where it ends', async () => {
    vi.stubEnv('HEED_PYTHON', write('python', '#!/bin/sh\necho "ModuleNotFoundError: No module named ray" >&2\nexit 1\n'));
    await expect(openEngine('local:2')).rejects.toThrow(/could not be started: .*EACCES/);
    vi.stubEnv('HEED_PYTHON', '/bin/false');
    await expect(openEngine('local:2')).rejects.toThrow('Workers on this machine could not be started: Python ended with exit code 1.');
  });

  it('runs on CPUs', async () => {
    const refused = 'device is webgpu, and the workers of a cluster run on CPUs.';
    await expect(openEngine('local:2', { device: 'webgpu' })).rejects.toThrow(refused);
  });
});
