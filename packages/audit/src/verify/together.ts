/** What the parts of an audit have found, as that of one. */
import type { EventStore } from '@tallystick/event-store';
import type { Expected } from './compare-reads.ts';
import type { Finding, Findings } from './finding.ts';
import type { PartSummary, Repeated } from './part.ts';
import { PlatformSums } from './platform.ts';

export interface Together extends Omit<Expected, 'rows'> {
  readonly repeated: readonly Repeated[];
  readonly behind: number;
  /** 0 where no event says it. */
  readonly epoch: number;
}

/** A stream is one part's only, so what is kept by stream comes together without meeting. */
export function together(parts: readonly PartSummary[], findings: Findings): Together {
  const platform = new PlatformSums();
  for (const part of parts) {
    findings.merge(part);
    platform.merge(part.platform);
  }
  return {
    platform,
    covered: new Map(parts.flatMap(({ covered }) => [...covered])),
    entries: new Map(parts.flatMap(({ entries }) => [...entries])),
    keys: new Map(parts.flatMap(({ keys }) => [...keys])),
    sealedRanges: new Map(parts.flatMap(({ sealedRanges }) => [...sealedRanges])),
    repeated: parts.flatMap(({ repeated }) => repeated),
    behind: parts.reduce((sum, { behind }) => sum + behind, 0),
    epoch: parts.find(({ epoch }) => epoch !== null)?.epoch ?? 0,
  };
}

/** Keys that seem to come again are looked up: two different ones may have looked alike. */
export async function reportRepeated(
  store: EventStore,
  repeated: readonly Repeated[],
  report: (finding: Finding) => void,
): Promise<void> {
  for (const { stream, key, revision } of repeated) {
    const first = await firstWith(store, stream, key);
    if (first >= revision) continue;
    const what = 'a business key comes twice';
    report({ what, stream, revision, expected: `${key} at ${first} only`, found: key });
  }
}

const PAGE = 1_000;

async function firstWith(store: EventStore, stream: string, key: string): Promise<number> {
  for (let from = 0; ; ) {
    const events = await store.readStream(stream, { from, limit: PAGE });
    const found = events.find((event) => event.key === key);
    if (found !== undefined) return found.revision;
    const last = events.at(-1);
    if (last === undefined) return Number.POSITIVE_INFINITY;
    from = last.revision + 1;
  }
}
