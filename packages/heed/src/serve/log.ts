/** A line for each request, without its content, and what went wrong inside the server. */
export type Log = (line: string, kind: 'request' | 'failure') => void;
