import { readFileSync } from 'node:fs';

/**
 * The most memory a process had resident, each part of a file once. The system's own peak counts a page as often as it is mapped, and
 * every session maps the weights anew: what was counted again, where it was looked at, is taken off.
 */
export class ResidentPeak {
  private again = 0;

  /** Looks how much is counted again now: where sessions end. */
  sample(): void {
    this.again = Math.max(this.again, countedAgain(readMaps()));
  }

  /** Bytes. */
  get peak(): number {
    return process.resourceUsage().maxRSS * 1024 - this.again;
  }
}

/** Resident bytes of parts of files that are mapped more than once, beyond the first time; `maps`: what Linux says in `smaps`. */
export function countedAgain(maps: string): number {
  const most = new Map<string, number>();
  let [sum, key] = [0, ''];
  for (const line of maps.split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+) (\S+) (\d+)/.exec(line);
    if (mapping !== null) key = mapping[3] === '0' ? '' : `${mapping[2]}:${mapping[3]}:${mapping[1]}`;
    const rss = key === '' ? undefined : /^Rss:\s+(\d+) kB/.exec(line)?.[1];
    if (rss === undefined) continue;
    sum += Number(rss);
    most.set(key, Math.max(most.get(key) ?? 0, Number(rss)));
  }
  return 1024 * (sum - [...most.values()].reduce((a, b) => a + b, 0));
}

/** Empty where the system does not say. */
function readMaps(): string {
  try {
    return readFileSync('/proc/self/smaps', 'utf8');
  } catch {
    return '';
  }
}
