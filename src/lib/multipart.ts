/** One part of a `multipart/form-data` body: what it is called, and where it is, from the end of the boundary before it to the next. */
interface Part {
  readonly name: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** What separates the parts of such a body; null when the content type is another, or says none. */
export function boundaryOf(contentType: string): string | null {
  const found = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
}

/** The values of a form's fields by their names, the last where one comes twice. */
export function multipartFields(bytes: Uint8Array, boundary: string): ReadonlyMap<string, string> {
  return new Map(partsOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), boundary).map(({ name, value }) => [name, value]));
}

/** The form without the fields of one name; all other bytes stay. */
export function withoutField(bytes: Uint8Array, boundary: string, name: string): Uint8Array<ArrayBuffer> {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let kept = 0;
  const pieces: Buffer[] = [];
  for (const part of partsOf(body, boundary)) {
    if (part.name !== name) continue;
    pieces.push(body.subarray(kept, part.start));
    kept = part.end;
  }
  return Buffer.concat([...pieces, body.subarray(kept)]);
}

function partsOf(body: Buffer, boundary: string): Part[] {
  const delimiter = `--${boundary}`;
  const parts: Part[] = [];
  for (let start = body.indexOf(delimiter); start !== -1; ) {
    const end = body.indexOf(`\r\n${delimiter}`, start);
    if (end === -1) break;
    const head = body.indexOf('\r\n\r\n', start);
    if (head !== -1 && head < end) {
      const name = /^content-disposition:[^\r\n]*;\s*name="([^"]*)"/im.exec(body.toString('utf8', start, head))?.[1];
      if (name !== undefined) parts.push({ name, value: body.toString('utf8', head + 4, end), start, end: end + 2 });
    }
    start = end + 2;
  }
  return parts;
}
