import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readJsonAs } from '../../src/run/json-file.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const path = (name: string): string => join(folder, name);
const Schema = z.strictObject({ runs: z.number() });
const read = (file: string): Promise<{ runs: number }> => readJsonAs(file, Schema, 'heed sweep');

describe('a JSON file of Heed', () => {
  it('is read', async () => {
    expect(await read(write('good.json', '{"runs": 3}'))).toEqual({ runs: 3 });
  });

  it('that is nowhere, is no JSON or has another form is named, with the command that writes it', async () => {
    const way = { hints: ['Write it with heed sweep.'] };
    await expect(read(path('nowhere.json'))).rejects.toMatchObject({ message: `There is no file ${path('nowhere.json')}.`, ...way });
    await expect(read(write('cut.json', '{"runs":'))).rejects.toMatchObject({ message: `${path('cut.json')} is not JSON.`, ...way });
    await expect(read(write('other.json', '{"runs": "3"}'))).rejects.toMatchObject({
      message: expect.stringMatching(/other\.json is no file of heed sweep: runs: /) as string, ...way,
    });
  });
});
