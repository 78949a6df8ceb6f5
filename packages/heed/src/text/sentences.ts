/** A text that ran into its limit, up to the last sentence that it ended; '' where it ended none. */
export function wholeSentences(text: string): string {
  const end = /^[^]*[.!?]["'”’)\]]*(?=\s|$)/.exec(text.trim());
  return end?.[0].trim() ?? '';
}
