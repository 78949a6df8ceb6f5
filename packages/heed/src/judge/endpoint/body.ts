/** The body of a reply is not what a server with this interface sends. */
export class UnreadableBody extends Error {
  override readonly name = 'UnreadableBody';
}

/** The size up to which a reply is read: no answer to a question is longer. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Statuses that have no body. */
const EMPTY = [204, 205, 304];

/**
 * `fetch` that reads the whole body before it answers, so that a caller's time-out covers the body too, and refuses bodies that are too
 * large or not UTF-8 (others would read them as "�").
 */
export const wholeFetch: typeof fetch = async (url, init) => {
  const response = await fetch(url, init);
  const headers = new Headers(response.headers);
  // These headers describe the bytes on the wire.
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
  const text = utf8(await allBytes(response));
  return new Response(EMPTY.includes(response.status) ? null : text, { status: response.status, statusText: response.statusText, headers });
};

async function allBytes(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += (part as Uint8Array).length;
    if (size > MOST_BYTES) throw new UnreadableBody(`the reply is larger than ${MOST_BYTES / 2 ** 20} MB`);
    parts.push(part as Uint8Array);
  }
  return Buffer.concat(parts);
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UnreadableBody('the reply is not UTF-8', { cause: error });
  }
}
