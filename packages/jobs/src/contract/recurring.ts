/** Recurring jobs: every time once, whoever sees it first. The clock is the test's. */
import type { Test } from 'tap';
import { aWhile, openProcess, type Setting, someNamespace, until } from './fixtures.ts';

const HOUR = 3_600_000;

export async function recurringContract(t: Test, setting: Setting): Promise<void> {
  await t.test('each time is put in once, however many processes schedule it', async (t) => {
    let now = Date.parse('2026-03-01T10:00:30.000Z');
    const namespace = someNamespace();
    const clock = { now: () => now };
    const seen: unknown[] = [];
    for (let n = 0; n < 3; n++) {
      const { jobs } = await openProcess(t, setting, namespace, clock);
      await jobs.work('chores', async ({ fact, data }) => void seen.push({ fact, ...data }));
      jobs.schedule('seal', { queue: 'chores', when: { everyMs: 60_000 }, data: { deep: true } });
    }
    await aWhile();
    t.same(seen, [], 'a new one begins with its next time');
    const at = (time: string) => ({ fact: 'schedule:seal', deep: true, at: `2026-03-01T${time}.000Z` });
    now = Date.parse('2026-03-01T10:01:00.000Z');
    await until('it has come', () => seen.length > 0);
    await aWhile();
    t.same(seen, [at('10:01:00')]);
    now += HOUR + 5_000;
    await until('it has come', () => seen.length > 1);
    await aWhile();
    t.same(seen, [at('10:01:00'), at('11:01:00')], 'of the times that passed the last one counts');
  });

  await t.test('a process that starts later takes up where the others stopped', async (t) => {
    let now = Date.parse('2026-03-28T22:30:00.000Z');
    const namespace = someNamespace();
    const clock = { now: () => now };
    const when = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    const first = await openProcess(t, setting, namespace, clock);
    first.jobs.schedule('nightly', { queue: 'chores', when });
    await aWhile();
    await first.jobs.close();
    // While nobody runs, the night comes in which there is no half past two.
    now = Date.parse('2026-03-29T12:00:00.000Z');
    const second = await openProcess(t, setting, namespace, clock);
    const seen: unknown[] = [];
    await second.jobs.work('chores', async ({ data }) => void seen.push(data.at));
    second.jobs.schedule('nightly', { queue: 'chores', when });
    await until('it has come', () => seen.length === 1);
    await aWhile();
    t.same(seen, ['2026-03-29T01:30:00.000Z'], 'once, at half past three');
  });

  await t.test('a recurrence that makes no sense is said where it is made', async (t) => {
    const { jobs } = await openProcess(t, setting, someNamespace());
    for (const when of [
      { everyMs: 999 },
      { cron: 'each noon' },
      { cron: '0 0 * * *', timeZone: 'Mars/Olympus' },
    ])
      t.throws(() => jobs.schedule('s', { queue: 'q', when }));
  });
}
