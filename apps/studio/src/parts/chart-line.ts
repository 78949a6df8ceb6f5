/** One line of a chart. */
export interface ChartLine {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** A custom property of the style sheet, such as `--accent`. */
  readonly colour: string;
  /** Lengths of strokes and gaps, so that lines differ by more than colour. */
  readonly dash?: number[];
}
