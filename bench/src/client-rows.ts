/** Row 7: callers that make one call per charge through the typed client, against the bare route of single calls. */

import type { Child } from './children.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { interleave, runCharges, type Side } from './measure.ts';
import { compare, type Result } from './results.ts';
import { type Bench, bareRoute, CONNECTIONS, groupsOf, jobOf, warmUp } from './rows.ts';

/** As many as the bare route has connections, which is what the aim is about; and as a busy gateway has calls. */
const CALLERS = [CONNECTIONS, 1_024];

export async function clientRow(bench: Bench, callers: Child<LoadJob, LoadReport>): Promise<Result[]> {
  const { plan, ledger, onReport } = bench;
  const through = (count: number): Side => ({
    name: `one per call through the client, ${count.toLocaleString('en')} callers`,
    run: () => {
      const groups = groupsOf(bench, { load: [callers.pid] });
      return runCharges(ledger, callers, jobOf(bench, 'charge', { connections: count }), groups, onReport);
    },
  });
  const [few, many] = CALLERS.map(through) as [Side, Side];
  const bare = bareRoute(bench);
  plan.tell('through the client, warming up');
  await warmUp([few, many]);
  const measured = await interleave({ few, bare, many }, plan.rounds, plan.tell);
  const yardstick = [bare.name, measured.bare] as const;
  return [
    compare({ row: 7, ours: [few.name, measured.few], yardstick, aim: 0.5 }),
    compare({ row: 7, ours: [many.name, measured.many], yardstick, aim: 0.5 }),
  ];
}
