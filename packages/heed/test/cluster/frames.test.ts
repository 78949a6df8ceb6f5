import { describe, expect, it } from 'vitest';
import { type Frame, encodeFrame, frameReader } from '../../src/cluster/frames.js';
import { clusterOf, ClusterOptions } from '../../src/run/cluster.js';


describe('frames', () => {
  it('have the form that the gateway reads', () => {
    const parts = encodeFrame({ id: 7, a: Float32Array.of(1, -2), n: [BigInt64Array.of(5n)] });
    const bytes = Buffer.concat(parts);
    const head = bytes.readUInt32LE(0);
    expect(bytes.readBigUInt64LE(4)).toBe(128n);
    expect(JSON.parse(bytes.subarray(12, 12 + head).toString())).toEqual({
      id: 7, a: { array: 0 }, n: [{ array: 1 }], arrays: [['float32', 2], ['int64', 1]],
    });
    const body = bytes.subarray(12 + head);
    expect([body.readFloatLE(0), body.readFloatLE(4), body.readBigInt64LE(64), body.length]).toEqual([1, -2, 5n, 128]);
  });

  it('come together from pieces of any size, empty arrays among them', () => {
    const sent = [
      Float32Array.of(1.5, NaN), new Int32Array(), Uint8Array.of(1, 2, 3), Uint16Array.of(65535), Int8Array.of(-1), BigInt64Array.of(-1n),
    ];
    const bytes = Buffer.concat([...encodeFrame({ id: 1, sent }), ...encodeFrame({ id: 2 })]);
    for (const size of [1, 7, 64, bytes.length]) {
      const frames: Frame[] = [];
      const read = frameReader((frame) => frames.push(frame));
      for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
      expect(frames.map(({ head }) => head['id'])).toEqual([1, 2]);
      expect(frames[0]!.arrays).toEqual(sent);
    }
  });
});

describe('cluster', () => {
  it('is a number of workers on this machine, or the head of a Ray cluster', () => {
    expect(clusterOf('local:2')).toEqual({ kind: 'local', workers: 2 });
    expect(clusterOf('ray://head.example')).toEqual({ kind: 'ray', host: 'head.example', port: 8265 });
    expect(clusterOf('ray://10.0.0.7:9000/')).toEqual({ kind: 'ray', host: '10.0.0.7', port: 9000 });
    expect(clusterOf('ray://[::1]:9000')).toEqual({ kind: 'ray', host: '::1', port: 9000 });
    for (const wrong of ['local', 'local:0', 'local:-1', 'local:two', 'http://head', 'ray://', 'ray://a b', 'local:1000', 'ray://a:65536'])
      expect(ClusterOptions.safeParse(wrong).success, wrong).toBe(false);
    const [issue] = ClusterOptions.safeParse(2).error!.issues;
    expect(issue!.message).toMatch(/^expected local:N, with N from 1 to 999, or ray:/);
  });
});
