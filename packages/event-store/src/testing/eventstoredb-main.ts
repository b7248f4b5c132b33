/**
 * The EventStoreDB stand-in as a process of its own, for benchmarks and crash tests: prints its connection string as
 * the only line, listens on PORT (any free one where unset), ends with SIGTERM. Its log is lost with it.
 */
import { startEventStoreDbStandIn } from './eventstoredb.ts';

const standIn = await startEventStoreDbStandIn({ port: Number(process.env.PORT ?? 0) });
process.once('SIGTERM', () => process.exit(0));
console.log(standIn.url);
