/** The formats that can be imported, by name. */
export const IMPORT_NAMES = ['openai', 'promptfoo', 'open-webui'] as const;
export type ImportName = (typeof IMPORT_NAMES)[number];
