// Preloaded (`node --import`) into a child that runs `heed`: stops it from inside, at one exact moment, so that tests need neither
// clocks nor luck. HEED_TEST_STOP is JSON { how, on, matching }: `how` a signal; `on` "line", a log line that matches, half of which
// is written first, or "rename", just before a file whose new name matches is put in place.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { how, on, matching } = JSON.parse(process.env.HEED_TEST_STOP);
const pattern = new RegExp(matching);
const stop = () => process.kill(process.pid, how);
const { writeSync } = fs;
const { rename } = fs.promises;

fs.writeSync = (file, data, ...rest) => {
  if (on !== 'line' || !pattern.test(Buffer.isBuffer(data) ? data.toString() : String(data))) return writeSync(file, data, ...rest);
  if (how !== 'SIGKILL') {
    stop();
    return writeSync(file, data, ...rest);
  }
  writeSync(file, data, 0, data.length >> 1);
  stop();
  for (;;); // SIGKILL is on its way
};
fs.promises.rename = (from, to) => {
  if (on === 'rename' && pattern.test(to)) {
    stop();
    for (;;);
  }
  return rename(from, to);
};
syncBuiltinESMExports();
