import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as feedback from '../src/feedback.js';
import * as all from '../src/index.js';
import * as label from '../src/label.js';
import * as method from '../src/method.js';
import * as serve from '../src/serve.js';

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, { readonly default: string } | string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const packageOf = (folder: string): Package => JSON.parse(readFileSync(root(`${folder}package.json`), 'utf8')) as Package;
const [heed, tensor, aiSdk, workspace] = ['packages/heed/', 'packages/tensor/', 'packages/ai-sdk/', ''].map(packageOf) as
  [Package, Package, Package, Package];

describe('the packages', () => {
  it('have an entry for each part, made of a source', () => {
    const parts = Object.entries(heed.exports).flatMap(([name, to]) => (typeof to === 'string' ? [] : [[name, to.default] as const]));
    expect(parts.map(([name]) => name)).toEqual(['.', './method', './label', './feedback', './serve', './tensor']);
    for (const [, file] of parts) {
      expect(existsSync(root(`packages/heed/${file.replace('./dist/', 'src/').replace(/js$/, 'ts')}`)), file).toBe(true);
    }
  });

  it('give in each part what the whole gives under the same name', () => {
    for (const part of [method, label, feedback, serve]) {
      for (const [name, value] of Object.entries(part)) expect((all as Record<string, unknown>)[name], name).toBe(value);
    }
    expect([method, label, feedback, serve].filter((part) => Object.keys(part).length === 0)).toEqual([]);
  });

  it('have one version, and name one version of Node', () => {
    const versions = [tensor.version, heed.dependencies?.['@heed/tensor'], aiSdk.version, aiSdk.dependencies?.['@heed/heed']];
    expect(new Set(versions)).toEqual(new Set([heed.version]));
    const [, node] = /^>=(\d+\.\d+)$/.exec(heed.engines.node)!;
    expect(new Set([tensor, aiSdk, workspace].map(({ engines }) => engines.node))).toEqual(new Set([heed.engines.node]));
    expect(readFileSync(root('README.md'), 'utf8').match(/Node ≥ [\d.]+/g)).toEqual([`Node ≥ ${node}`]);
    expect(readFileSync(root('CONTRIBUTING.md'), 'utf8').match(/Node [\d.]+/g)).toEqual([`Node ${node}`]);
  });
});
