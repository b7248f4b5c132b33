import { StoreUnavailable } from '@tallystick/event-store';
import t from 'tap';
import { tellFaults } from './behind-answers.ts';

function logged() {
  const lines: (readonly [level: string, where: unknown, text: string])[] = [];
  const at = (level: string) => (what: object, text: string) =>
    void lines.push([level, (what as { where?: unknown }).where, text]);
  const log = { warn: at('warn'), error: at('error') } as unknown as Parameters<typeof tellFaults>[0];
  return { lines, tell: tellFaults(log) };
}

t.test('an outage is a warning, and not told at every try', async (t) => {
  const outages = [
    new StoreUnavailable('unwritten', 'Postgres is not available: connect ECONNREFUSED'),
    new Error('Connection terminated unexpectedly'),
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' }),
  ];
  const { lines, tell } = logged();
  for (let n = 0; n < 40; n++) for (const outage of outages) tell(outage, 'catalogue');
  t.same(
    lines,
    Array(outages.length).fill(['warn', 'catalogue', 'what is done behind the answers has to wait']),
  );
});

t.test('a fault of the ledger is an error, each time', async (t) => {
  const { lines, tell } = logged();
  for (let n = 0; n < 2; n++) tell(new Error('an unknown event in the catalogues: Strange'), 'catalogue');
  tell('no error at all', 'sealing');
  tell(Object.assign(new Error('duplicate key'), { code: '23505' }), 'sealing');
  t.same(
    lines.map(([level, where]) => [level, where]),
    [
      ['error', 'catalogue'],
      ['error', 'catalogue'],
      ['error', 'sealing'],
      ['error', 'sealing'],
    ],
  );
});
