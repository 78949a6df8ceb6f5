// @ts-check
// How time grows with K, the responses to one prompt: the group `d2o-k` as a table and a line through it.

const round = (x, digits = 3) => Number(x.toPrecision(digits));

/**
 * @param points [{ k, prompt, responses (tokens), seconds, range, peakRssMb }], at least one
 * @returns the points; the least-squares line `seconds = fixed + perToken · response tokens` with its R² where there are enough; a table
 *   in markdown
 */
export function curveOf(points) {
  const line =
    points.length < 3
      ? undefined
      : fit(
          points.map((p) => p.responses),
          points.map((p) => p.seconds),
        );
  const { prompt } = points[0];
  return {
    points,
    ...(line === undefined
      ? {}
      : { line: { fixedSeconds: round(line.fixed), millisecondsPerResponseToken: round(1000 * line.slope), r2: round(line.r2, 4) } }),
    table: [
      `| K | responses | tokens: prompt + responses | seconds a step | fastest-slowest | ms per response token | peak |`,
      '|---|---|---|---|---|---|---|',
      ...points.map(
        ({ k, responses, seconds, range, peakRssMb }) =>
          `| ${k} | ${k + 1} | ${prompt} + ${responses} | ${seconds.toFixed(2)} | `
          + `${range.map((x) => x.toFixed(2)).join('-')} | ${((1000 * seconds) / responses).toFixed(2)} | `
          + `${((peakRssMb * 2 ** 20) / 1e9).toFixed(2)} GB |`,
      ),
    ],
  };
}

function fit(xs, ys) {
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const [xx, xy, yy] = xs.reduce(
    ([xx, xy, yy], v, i) => [xx + (v - x) ** 2, xy + (v - x) * (ys[i] - y), yy + (ys[i] - y) ** 2],
    [0, 0, 0],
  );
  const slope = xy / xx;
  return { slope, fixed: y - slope * x, r2: xy ** 2 / (xx * yy) };
}
