/**
 * Array parameters of Postgres in its binary format. `pg` sends a Buffer as a binary parameter; its own arrays go as
 * text, which costs the server about a third more per event (speed.md, point 8).
 *
 * Layout: dimensions, has-null flag, element type; size and lower bound of the one dimension; then each element as its
 * length (-1 for null) and its bytes. All numbers are 32 bits, big-endian.
 */
const TEXT = 25;
const UUID = 2950;
const INT4 = 23;
const INT8 = 20;
const HEADER_BYTES = 20;
const TWO_TO_32 = 2 ** 32;

export function textArray(values: readonly (string | null)[]): Buffer {
  let bytes = 0;
  for (const value of values) if (value !== null) bytes += Buffer.byteLength(value);
  const buffer = allocate(TEXT, values.length, bytes);
  let at = HEADER_BYTES;
  for (const value of values) {
    const length = value === null ? -1 : buffer.write(value, at + 4, 'utf8');
    buffer.writeInt32BE(length, at);
    at += 4 + Math.max(length, 0);
  }
  return buffer;
}

/** UUIDs in their usual form with hyphens. */
export function uuidArray(values: readonly string[]): Buffer {
  const buffer = allocate(UUID, values.length, 16 * values.length);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(16, at);
    buffer.write(value.replaceAll('-', ''), at + 4, 'hex');
    at += 20;
  }
  return buffer;
}

export function int4Array(values: readonly number[]): Buffer {
  const buffer = allocate(INT4, values.length, 4 * values.length);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(4, at);
    buffer.writeInt32BE(value, at + 4);
    at += 8;
  }
  return buffer;
}

/** Safe integers as bigint. */
export function int8Array(values: readonly number[]): Buffer {
  const buffer = allocate(INT8, values.length, 8 * values.length);
  let at = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(8, at);
    buffer.writeInt32BE(Math.floor(value / TWO_TO_32), at + 4);
    buffer.writeUInt32BE(((value % TWO_TO_32) + TWO_TO_32) % TWO_TO_32, at + 8);
    at += 12;
  }
  return buffer;
}

function allocate(type: number, count: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + 4 * count + bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(1, 4);
  buffer.writeInt32BE(type, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}
