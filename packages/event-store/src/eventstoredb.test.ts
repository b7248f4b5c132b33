/** The contract of every event store, on the stand-in and, where LEDGER_ESDB_URL names one, on a real server. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { eventStoreContract } from './contract.ts';
import { createEventStoreDbStore } from './eventstoredb.ts';
import { startEventStoreDbStandIn } from './testing/eventstoredb.ts';

t.test('the contract holds on the stand-in', async (t) => {
  const standIn = await startEventStoreDbStandIn();
  t.teardown(() => standIn.stop());
  await eventStoreContract(t, async () => createEventStoreDbStore({ connectionString: standIn.url }));
});

const url = process.env.LEDGER_ESDB_URL;
const skip =
  url === undefined &&
  'LEDGER_ESDB_URL names no EventStoreDB (esdb://127.0.0.1:2113?tls=false): not proven on a real one';

t.test('the contract holds on a real server', { skip }, async (t) => {
  const namespace = `test-${randomBytes(8).toString('hex')}`;
  await eventStoreContract(t, async () =>
    createEventStoreDbStore({ connectionString: url ?? '', namespace }),
  );
});
