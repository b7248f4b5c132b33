/** How far the read models are behind, charge by charge. */

/** Milliseconds since 1970, and a position; in the order of time or nearly so. */
export type Seen = readonly (readonly [atMs: number, position: number])[];

/** How long after it was sent each charge was seen: by the first look that was told its position or a later one. */
export function lagsOf(sent: Seen, looks: Seen): { lags: number[]; unseen: number } {
  const byPosition = [...sent].sort((a, b) => a[1] - b[1]);
  const lags: number[] = [];
  let look = 0;
  for (const [atMs, position] of byPosition) {
    while (look < looks.length && (looks[look]?.[1] ?? 0) < position) look += 1;
    const seen = looks[look];
    if (seen !== undefined) lags.push(Math.max(0, seen[0] - atMs));
  }
  return { lags, unseen: sent.length - lags.length };
}
