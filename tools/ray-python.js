// @ts-check
// The Python of the tests and benchmarks that need Ray: what workers need, Ray's dashboard, and what checks the worker's program.
import { fileURLToPath } from 'node:url';
import { installEnvironment, pythonIn } from '../packages/heed/dist/cluster/environment.js';

const LISTS = ['requirements.txt', 'requirements-test.txt']
  .map((name) => fileURLToPath(new URL(`../workers/ray/${name}`, import.meta.url)));

/**
 * The Python of that environment, which is made in the cache where it is not there.
 *
 * @throws UserError where it cannot be made
 */
export const testPython = async (/** @type {(line: string) => void} */ say) =>
  pythonIn(await installEnvironment(say, { name: 'ray-test', lists: LISTS }));
