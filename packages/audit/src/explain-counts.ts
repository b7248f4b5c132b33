/** So much of a unit, in words: one of it stands in the singular. Names of fields (`input_tokens`) stay as they are. */
export function counted(quantity: number | string, unit: string): string {
  const isWord = !unit.includes('_');
  return `${quantity} ${isWord && String(quantity) === '1' ? unit.replace(/s$/, '') : unit}`;
}
