/**
 * The normalised usage vector. Dimensions are disjoint: `input_tokens` came from no cache, `output_tokens` hold no
 * reasoning. A supplier whose counts overlap is mapped by subtraction before it gets here (rule 25).
 * A quantity is a bigint in thousandths, so that seconds may have three decimals and the rest stays one arithmetic.
 */

/** Whether a dimension counts whole things only. */
export const DIMENSIONS = {
  input_tokens: 'whole',
  cached_input_tokens: 'whole',
  cache_write_tokens: 'whole',
  output_tokens: 'whole',
  reasoning_tokens: 'whole',
  images: 'whole',
  audio_seconds: 'seconds',
  video_seconds: 'seconds',
  characters: 'whole',
  calls: 'whole',
} as const;

export type Dimension = keyof typeof DIMENSIONS;
export const QUANTITY_MAX = 1_000_000_000_000;

/** As clients send it and as events keep it: plain JSON numbers. */
export type Usage = { readonly [D in Dimension]?: number };

export type QuantityFault = 'not_a_number' | 'negative' | 'not_whole' | 'too_many_decimals' | 'too_large';

export function isDimension(name: string): name is Dimension {
  return Object.hasOwn(DIMENSIONS, name);
}

/** A JSON number to thousandths, or the rule that it breaks. */
export function readQuantity(dimension: Dimension, value: unknown): bigint | QuantityFault {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'not_a_number';
  if (value < 0) return 'negative';
  if (value > QUANTITY_MAX) return 'too_large';
  if (Number.isInteger(value)) return BigInt(value) * 1000n;
  if (DIMENSIONS[dimension] === 'whole') return 'not_whole';
  const match = /^(\d+)\.(\d{1,3})$/.exec(String(value));
  if (match === null) return 'too_many_decimals';
  return BigInt(`${match[1]}${(match[2] ?? '').padEnd(3, '0')}`);
}

/** A quantity that passed `readQuantity` before; anything else is a bug. */
export function thousandths(dimension: Dimension, value: number): bigint {
  const quantity = readQuantity(dimension, value);
  if (typeof quantity === 'string') throw new Error(`${dimension} ${value}: ${quantity}`);
  return quantity;
}

/** The dimensions of a usage that were used at all, in the order of the table above. */
export function usedDimensions(usage: Usage): Dimension[] {
  const used: Dimension[] = [];
  for (const name in DIMENSIONS) {
    const dimension = name as Dimension;
    const value = usage[dimension];
    if (value !== undefined && value !== 0) used.push(dimension);
  }
  return used;
}
