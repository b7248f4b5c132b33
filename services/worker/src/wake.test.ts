import type { Runner } from '@tallystick/event-store';
import type { RunningJob } from '@tallystick/jobs';
import t from 'tap';
import { wakeHandler } from './wake.ts';

type Execute = Runner<never>['execute'];

/** A runner that answers every order so, and remembers for whom it was asked. */
function answering(answer: unknown) {
  const asked: string[] = [];
  const execute = (async (_: unknown, orders: { id: string }[]) => {
    asked.push(...orders.map(({ id }) => id));
    return answer;
  }) as unknown as Execute;
  return { asked, runner: { execute } };
}

const job = (data: RunningJob['data']): RunningJob => ({
  queue: 'wake',
  fact: 'wake:acme:2026-03-01T00:00:00.000Z',
  round: '1',
  data,
  attempt: 1,
  signal: new AbortController().signal,
  progress: async () => undefined,
});

for (const status of ['recorded', 'unchanged'] as const) {
  t.test(`a wallet that answers ${status} has been woken`, async (t) => {
    const { runner, asked } = answering([{ status }]);
    await wakeHandler({ runner, isPaused: () => false })(job({ account: 'acme' }));
    t.same(asked, ['acme']);
  });
}

for (const [answer, message] of [
  ['queue_full', /too much to do/],
  [[{ status: 'unavailable', reason: 'store_unavailable' }], /not possible now: store_unavailable/],
  [[{ status: 'refused', refusal: { code: 'account_not_found' } }], /refused: account_not_found/],
] as const) {
  t.test(`${JSON.stringify(answer)} is tried again`, async (t) => {
    const { runner } = answering(answer);
    await t.rejects(wakeHandler({ runner, isPaused: () => false })(job({ account: 'acme' })), message);
  });
}

t.test('while the clock of a test store is being moved nobody is woken', async (t) => {
  const { runner, asked } = answering([{ status: 'recorded' }]);
  await wakeHandler({ runner, isPaused: () => true })(job({ account: 'acme' }));
  t.same(asked, []);
});

t.test('a job that names no account is a fault, and told', async (t) => {
  const { runner } = answering([{ status: 'recorded' }]);
  await t.rejects(wakeHandler({ runner, isPaused: () => false })(job({})), /names no account/);
});
