// @ts-check
import { parseArgs } from 'node:util';

/**
 * Reads the command line of a program. With --help it prints how the program is used and ends it with 0; with an option that the program
 * lacks it prints the same and ends it with 2. Programs call this before they import Heed or a browser, so that --help is quick.
 *
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} const T
 * @param {string} usage
 * @param {T} options
 * @param {{ readonly positionals?: number }} [most] How many words beside the options it takes. Default: none.
 */
export function readOptions(usage, options, { positionals: most = 0 } = {}) {
  const whole = `usage: ${usage}\n  -h, --help       this text`;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { ...options, help: { type: 'boolean', short: 'h' } } });
    if (positionals.length > most) throw new Error(`Unexpected argument '${positionals[most]}'`);
    if (/** @type {{ help?: boolean }} */ (values).help !== true) {
      const given = parseArgs({ allowPositionals: true, options });
      return { values: given.values, positionals };
    }
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n${whole}`);
    process.exit(2);
  }
  console.log(whole);
  process.exit(0);
}
