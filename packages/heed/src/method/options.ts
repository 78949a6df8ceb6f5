import { z } from 'zod';

/** How a judgment enters the prompt: a text with {instruction} and {judgment}; left out, the template's own wording. */
export const judgmentFormat = z
  .string()
  .refine((s) => s.includes('{judgment}') && s.includes('{instruction}'), 'must contain {instruction} and {judgment}')
  .optional();
