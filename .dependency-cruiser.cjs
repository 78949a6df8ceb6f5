/** The rooms and what each may import (docs/architecture.md says why). */
const room = (name) => `^packages/heed/src/${name}/`;
// Another package is seen by its name, or as its dist/ where it is built and found.
const tensor = '^(@heed/tensor|packages/tensor/)';
const only = (name, allowed) => ({
  name: `${name}-imports`,
  severity: 'error',
  from: { path: room(name) },
  to: {
    path: '^(@heed/|packages/)',
    pathNot: [room(name), '^packages/heed/src/errors\\.ts$', ...allowed.map((a) => (a === 'tensor' ? tensor : room(a)))],
  },
});

module.exports = {
  forbidden: [
    // The gradient of an operation is written with the other operations, so those files refer to each other.
    { name: 'no-cycles', severity: 'error', from: { pathNot: '^packages/tensor/src/ops/' }, to: { circular: true } },
    {
      name: 'tensor-knows-no-language', severity: 'error', from: { path: '^packages/tensor/' },
      to: { path: '^(@heed/(heed|ai-sdk)|packages/(heed|ai-sdk)/)' },
    },
    // A program that only keeps feedback loads no engine.
    {
      name: 'ai-sdk-knows-feedback-alone', severity: 'error', from: { path: '^packages/ai-sdk/' },
      to: { path: '^(@heed/|packages/)', pathNot: ['^packages/ai-sdk/', '^@heed/heed/feedback$', '^packages/heed/(dist|src)/feedback\\.'] },
    },
    {
      name: 'nothing-imports-cli', severity: 'error', from: { path: '^packages/heed/src/', pathNot: room('cli') },
      to: { path: room('cli') },
    },
    {
      name: 'train-knows-no-folder', severity: 'error', from: { path: room('train') },
      to: { path: '^packages/heed/src/run/(folder|files|metrics|recipe|lock|set-aside)\\.ts$' },
    },
    { name: 'nothing-imports-apps', severity: 'error', from: { path: '^packages/' }, to: { path: '^apps/' } },
    {
      // The page knows the server by what they say to each other, and writes numbers as the report does.
      name: 'studio-page-imports', severity: 'error', from: { path: '^apps/studio/src/' },
      to: {
        path: '^(@heed/|packages/)',
        pathNot: '^packages/heed/src/(studio/api|run/numbers|run/report/(format|measurements))\\.ts$',
      },
    },
    only('text', []),
    only('data', ['text']),
    only('run', []),
    only('model', ['tensor', 'text', 'run']),
    only('cluster', ['tensor', 'text', 'model', 'run']),
    only('method', ['tensor', 'text', 'data']),
    only('train', ['tensor', 'text', 'model', 'method', 'run']),
    only('generate', ['tensor', 'text', 'model', 'run']),
    only('judge', ['tensor', 'text', 'data', 'model', 'generate', 'run']),
    only('label', ['tensor', 'text', 'data', 'model', 'generate', 'judge', 'cluster', 'run']),
    only('reward', ['tensor', 'text', 'data', 'model', 'generate', 'judge', 'label', 'cluster', 'run']),
    only('feedback', ['text', 'run']),
    only('exchange', ['text', 'data', 'feedback', 'run']),
    only('start', ['text', 'data', 'run', 'feedback']),
    only('control', ['tensor', 'text', 'model', 'generate', 'run']),
    only('serve', ['tensor', 'text', 'model', 'generate', 'control', 'feedback', 'run']),
    only('evaluate', ['tensor', 'text', 'data', 'model', 'generate', 'judge', 'label', 'reward', 'cluster', 'run']),
    only('studio', [
      'tensor', 'text', 'data', 'model', 'method', 'train', 'generate', 'control', 'judge', 'label', 'reward', 'feedback', 'exchange',
      'start', 'serve', 'evaluate', 'loop', 'cluster', 'run',
    ]),
    only('sweep', [
      'tensor', 'text', 'data', 'model', 'method', 'train', 'generate', 'control', 'judge', 'label', 'reward', 'evaluate', 'loop',
      'cluster', 'run',
    ]),
    only('loop', [
      'tensor', 'text', 'data', 'model', 'method', 'train', 'generate', 'control', 'judge', 'label', 'reward', 'evaluate', 'cluster', 'run',
    ]),
  ],
  options: {
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    exclude: { path: '/test/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
  },
};
