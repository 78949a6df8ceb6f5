import fs from 'node:fs';
import path from 'node:path';

/** What PEFT calls an adapter's configuration. */
export const ADAPTER_CONFIG = 'adapter_config.json';

/** The folder that holds an adapter: the given one, or the `adapter` in it where it is a run's. */
export function adapterFolder(given: string): string {
  const inRun = path.join(given, 'adapter');
  const holds = (folder: string): boolean => fs.existsSync(path.join(folder, ADAPTER_CONFIG));
  return !holds(given) && holds(inRun) ? inRun : given;
}
