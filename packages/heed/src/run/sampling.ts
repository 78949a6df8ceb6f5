import { z } from 'zod';

/** How a recipe says the next token is chosen. */
export const Sampling = {
  /** Most tokens of an answer. */
  maxNewTokens: z.int().min(1).default(96),
  /** 0 takes the likeliest token. */
  temperature: z.number().min(0).default(1),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
};
