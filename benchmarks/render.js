// @ts-check
// The results as a table for people.

const gb = (mb) => `${((mb * 2 ** 20) / 1e9).toFixed(2)} GB`;

function grid(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function render({ machine, ours, peers, ratios, checks, curves = {}, warnings }) {
  const versions = Object.entries(machine.peers ?? {}).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `${machine.cpu}, ${machine.cores} cores (${machine.flags.join(' ')}), ${machine.memoryGb} GB`,
    `node ${machine.node}, onnxruntime ${machine.onnxruntime}${versions.length > 0 ? `, ${versions.join(', ')}` : ''}; `
    + `load before ${machine.loadBefore.join(' ')}`,
    '',
  ];
  const rows = [['', 'seconds', 'range', 'tokens/s', 'peak', 'utilisation']];
  for (const [name, r] of [...Object.entries(ours), ...Object.entries(peers)]) {
    if (r.tokensPerSecond === undefined) continue;
    rows.push([
      name,
      r.seconds.toFixed(3),
      r.range.map((x) => x.toFixed(3)).join('-'),
      r.tokensPerSecond.toFixed(0),
      gb(r.peakRssMb),
      r.utilisation?.toFixed(2) ?? '',
    ]);
  }
  if (rows.length > 1) lines.push(grid(rows), '');
  for (const [name, { gflops }] of [...Object.entries(ours), ...Object.entries(peers)]) {
    if (gflops !== undefined)
      lines.push(
        `${name}: ${Object.entries(gflops)
          .map(([shape, speed]) => `${shape} ${speed.toFixed(0)} GFLOP/s`)
          .join(', ')}`,
      );
  }
  if (ours.startup !== undefined)
    lines.push(
      `startup: ${ours.startup.toFirstStep} s from \`heed train\` to its first step (${ours.startup.toFirstStepDone} s `
      + `to its end; the first of all ${ours.startup.first} s)`,
    );
  const { endpoint, 'resume-labels': resumed } = ours;
  if (endpoint !== undefined)
    lines.push(
      `endpoint: \`heed label\` makes ${endpoint.tokens} tokens of ${endpoint.rows} judgments in ${endpoint.seconds} s `
      + `through \`heed serve\`, the generator alone in ${endpoint.generatorSeconds} s`,
    );
  if (resumed !== undefined)
    lines.push(
      `resume-labels: ${resumed.labels} labels that are in the store: ${resumed.seconds} s of labelling, `
      + `${resumed.processSeconds} s of \`heed label\` in all`,
    );
  const named = Object.entries(ratios);
  if (named.length > 0)
    lines.push('', grid([['ratio (speed of ours / theirs)', ''], ...named.map(([key, value]) => [key, `${value.toFixed(2)} x`])]));
  for (const [name, { table, line }] of Object.entries(curves)) {
    lines.push('', `${name}:`, ...table);
    if (line !== undefined)
      lines.push(`${line.fixedSeconds} s + ${line.millisecondsPerResponseToken} ms per response token (R² ${line.r2})`);
  }
  for (const [name, value] of Object.entries(checks)) lines.push(`check: ${name} ${value}`);
  for (const line of warnings) lines.push(`warning: ${line}`);
  return lines.join('\n');
}
