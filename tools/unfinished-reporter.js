// A reporter for Vitest: where a worker's process ends in the middle of a file, Vitest says that it ended, but neither in which file nor
// after which test. This names both.

export default class {
  /** @param {readonly import('vitest/node').TestModule[]} modules */
  onTestRunEnd(modules) {
    for (const module of modules) {
      const open = [...module.children.allTests()].filter((test) => test.result().state === 'pending');
      if (!['queued', 'pending'].includes(module.state()) && open.length === 0) continue;
      console.error(`Unfinished: ${module.relativeModuleId}${open.map((test) => `\n  ${test.fullName}`).join('')}`);
    }
  }
}
