import { describe, expect, it } from 'vitest';
import { closeAll } from '../../src/run/close-all.js';

describe('closeAll', () => {
  it('closes one after the other, all of them, and throws what failed first', async () => {
    const closed: string[] = [];
    const closer = (name: string, fails = false) => async () => {
      await Promise.resolve();
      closed.push(name);
      if (fails) throw new Error(name);
    };
    await expect(closeAll(closer('reward'), closer('judge', true), closer('sampler', true), closer('engine'))).rejects.toThrow(/^judge$/);
    expect(closed).toEqual(['reward', 'judge', 'sampler', 'engine']);
  });

  it('does nothing where nothing was opened', async () => {
    await expect(closeAll()).resolves.toBeUndefined();
    await expect(closeAll(() => undefined)).resolves.toBeUndefined();
  });
});
