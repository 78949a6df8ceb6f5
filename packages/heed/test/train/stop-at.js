// Preloaded (`node --import`) into a child that runs `heed`: stops it from inside, at one exact moment, so that tests need neither
// clocks nor luck. HEED_TEST_STOP is JSON, one of
//   { how, on, matching }: `how` a signal; `on` "line", a log line that matches, half of which is written first, or "rename", just
//     before a file whose new name matches is put in place;
//   { how, nth }: just before the n-th event, from 0: a log line (half of it is written), a file put in place, a file or folder removed, or
//     a server's reply handed on, which has come and is nowhere written down;
//   { list }: stops nothing, and writes the events of the whole run to this file at its end.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { how, on, matching, nth, list } = JSON.parse(process.env.HEED_TEST_STOP);
const pattern = new RegExp(matching ?? '$^');
const { writeSync, writeFileSync } = fs;
const { rename, rm } = fs.promises;
const events = [];
if (list !== undefined) process.on('exit', () => writeFileSync(list, JSON.stringify(events)));

/** Whether the run ends here. */
const reached = (kind, what) => {
  events.push(`${kind} ${what}`);
  return nth === undefined ? on === kind && pattern.test(what) : events.length - 1 === nth;
};
const stop = () => process.kill(process.pid, how);
const die = () => {
  stop();
  for (;;); // SIGKILL is on its way
};

fs.writeSync = (file, data, ...rest) => {
  const line = Buffer.isBuffer(data) ? data.toString() : String(data);
  // Everything else that is written so goes to the terminal.
  if (!line.startsWith('{') || !reached('line', line)) return writeSync(file, data, ...rest);
  if (how === 'SIGKILL') {
    writeSync(file, data, 0, data.length >> 1);
    die();
  }
  stop();
  return writeSync(file, data, ...rest);
};
fs.promises.rename = (from, to) => {
  if (reached('rename', to)) die();
  return rename(from, to);
};
fs.promises.rm = (path, options) => {
  if (reached('rm', path)) die();
  return rm(path, options);
};
const { fetch } = globalThis;
globalThis.fetch = async (...request) => {
  const reply = await fetch(...request);
  if (reached('ask', request[0])) die();
  return reply;
};
syncBuiltinESMExports();
