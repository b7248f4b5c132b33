/**
 * The canonical text of a value, for fingerprints (rule 14): members in order of their names, members that are
 * undefined left out. Amounts are brought to their canonical decimal by whoever builds the value: "1.0" equals "1".
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    let members = '';
    for (const name of sorted(Object.keys(value))) {
      const member = (value as Record<string, unknown>)[name];
      if (member === undefined) continue;
      members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${canonical(member)}`;
    }
    return `{${members}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** By their code units, as `<` orders texts. Most have been written down in this order. */
function sorted(names: string[]): string[] {
  for (let at = 1; at < names.length; at++)
    if ((names[at - 1] ?? '') > (names[at] ?? '')) return names.sort();
  return names;
}
