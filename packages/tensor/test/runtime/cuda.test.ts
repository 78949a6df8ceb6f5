import { describe, expect, it } from 'vitest';
import { startEngine } from '../../src/runtime/engine.js';

// No test has a GPU of NVIDIA: what is tested is that nothing is silent without one.
describe('the device cuda', () => {
  it('says that its files must be named', async () => {
    await expect(startEngine({ device: 'cuda' })).rejects.toThrow('The device cuda is not part of the npm package');
  });

  it('names a library that is missing, and one that is none', async () => {
    const start = (library: string) => startEngine({ device: 'cuda', cuda: { folder: '/no-such-folder', libraries: [library] } });
    await expect(start('/no-such-folder/libcudart.so.13')).rejects.toThrow('/no-such-folder/libcudart.so.13 is missing.');
    await expect(start(import.meta.filename)).rejects.toThrow(/cuda\.test\.ts: (invalid ELF header|file too short)|not valid|slice is not/);
  });
});
