import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Link } from './link.js';

/** Files of weights on the machines of a cluster. */
export interface RemoteWeights {
  /** The name that workers know a folder's weights by. They are sent where a machine does not have them yet. */
  place(folder: string): Promise<string>;
}

/** Bytes of a file that are sent at once. */
const PIECE = 8 << 20;

/** Sends weights by their content: a machine keeps what it was sent, for later runs too. */
export function openWeights(link: Link, say: (line: string) => void): RemoteWeights {
  const placed = new Map<string, Promise<string>>();

  async function place(folder: string): Promise<string> {
    const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors')).sort()
      .map((name) => ({ name, size: statSync(join(folder, name)).size }));
    const hash = createHash('sha256');
    for (const { name, size } of files) {
      hash.update(`${name} ${size}\n`);
      for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk as Buffer);
    }
    const digest = hash.digest('hex');
    const [has] = await link.ask({ request: { kind: 'weights', digest }, to: 'all', again: false });
    if (has![0] === 1) return digest;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    say(`sending ${(bytes / 1e6).toFixed(0)} MB of weights to the cluster, once`);
    for (const { name } of files) {
      let offset = 0;
      for await (const chunk of createReadStream(join(folder, name), { highWaterMark: PIECE })) {
        const data = new Uint8Array(chunk as Buffer);
        await link.ask({ request: { kind: 'piece', digest, name, offset, data }, to: 'all', again: false });
        offset += data.length;
      }
    }
    await link.ask({ request: { kind: 'seal', digest, files }, to: 'all', again: false });
    return digest;
  }

  return {
    place(folder) {
      if (!placed.has(folder)) placed.set(folder, place(folder));
      return placed.get(folder)!;
    },
  };
}
