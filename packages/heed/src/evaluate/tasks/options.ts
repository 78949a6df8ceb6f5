/** What a recipe says of every benchmark. */
import { z } from 'zod';
import { ColumnMap } from '../../data/columns.js';
import { Paths, sectionOfPath } from '../../data/paths.js';
import { Sampling } from '../../run/recipe-schemas.js';

/** Rows of files. A path alone is short for `{ path: … }`. */
export const ItemsOptions = z.preprocess(
  sectionOfPath,
  z.strictObject({
    /** JSONL, JSON, CSV, TSV (each also .gz) or Parquet; several files are read as one. */
    path: Paths,
    /** Our column name → the file's. */
    columns: ColumnMap.optional(),
    /** Only rows whose column has this value: { split: test }. */
    where: z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])).optional(),
    /** Rows are taken in an order drawn from the seed, so that `limit` takes a fair sample. Default: in the order of the file. */
    shuffle: z.boolean().default(false),
    /** Use so many rows at most. */
    limit: z.int().min(1).optional(),
    /** Decides the order. */
    seed: z.int().min(0).default(0),
  }),
);
export type ItemsOptions = z.infer<typeof ItemsOptions>;

/** What every task has. */
export const taskShape = {
  /** The items. */
  data: ItemsOptions,
};

/** What a task with a text to continue has. */
export const askedShape = {
  ...taskShape,
  /** Solved items before each item: the first of `dev`, of the same subject where there are subjects. */
  shots: z.int().min(0).default(0),
  /** Rows that shots are taken from. */
  dev: ItemsOptions.optional(),
  /** Whether the model reads the item as a user's turn, and each shot as a turn and its answer. Default: as plain text. */
  applyChatTemplate: z.boolean().default(false),
};

/** Options of a task whose answers are compared by log-likelihood. */
export const choiceOptions = <Name extends string>(name: Name) => z.strictObject({ task: z.literal(name), ...askedShape });

/** How answers are sampled where the model writes them. Default: the likeliest tokens. */
export const sampledShape = (maxNewTokens: number) => ({
  ...Sampling,
  maxNewTokens: z.int().min(1).default(maxNewTokens),
  temperature: z.number().min(0).default(0),
});
