/** The formats that can be imported, by name. */
export const IMPORT_NAMES = [
  'openai', 'promptfoo', 'langfuse', 'opentelemetry', 'open-webui', 'librechat', 'argilla', 'label-studio', 'inspect', 'sharegpt',
  'ultrafeedback', 'helpsteer',
] as const;
export type ImportName = (typeof IMPORT_NAMES)[number];
