/** How a process takes its leave: what runs may end, what cannot end comes again, what waits is left to others. */
import type { Test } from 'tap';
import { gate, idle, openProcess, type Setting, someNamespace, until } from './fixtures.ts';

export async function drainingContract(t: Test, setting: Setting): Promise<void> {
  await t.test('close waits for what runs, and takes nothing more', async (t) => {
    const namespace = someNamespace();
    const { jobs, outcomes } = await openProcess(t, setting, namespace);
    const waiting = gate();
    const begun: string[] = [];
    await jobs.work('q', async ({ fact }) => {
      begun.push(fact);
      await waiting.passed;
    });
    await jobs.enqueue('q', { fact: 'first', data: {} });
    await until('it runs', () => begun.length === 1);
    await jobs.enqueue('q', { fact: 'second', data: {} });
    let closed = false;
    const closing = jobs.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    t.equal(closed, false);
    waiting.open();
    await closing;
    t.same(outcomes, ['done']);
    t.same(begun, ['first']);

    const next = await openProcess(t, setting, namespace);
    const seen: string[] = [];
    await next.jobs.work('q', async ({ fact }) => void seen.push(fact));
    await until('the other is done', () => seen.length === 1);
    await until('nothing is left', idle(next.jobs, 'q'));
    t.same(seen, ['second'], 'what was done is not done again');
  });

  await t.test(
    'close waits no longer than it was told, and what it cut short is delivered again',
    async (t) => {
      const namespace = someNamespace();
      const { jobs, outcomes, errors } = await openProcess(t, setting, namespace);
      let reason: unknown;
      let begun = false;
      await jobs.work(
        'q',
        async ({ signal }) => {
          begun = true;
          signal.addEventListener('abort', () => {
            reason = signal.reason;
          });
          await new Promise(() => undefined);
        },
        { attempts: 1 },
      );
      await jobs.enqueue('q', { fact: 'f', data: {} });
      await until('it runs', () => begun);
      const start = performance.now();
      await jobs.close(300);
      t.ok(performance.now() - start < 4_000, `${Math.round(performance.now() - start)} ms`);
      t.match(reason, /the process ends/);
      t.same(outcomes, ['left'], 'it is not dead: it is not to blame');
      t.same(errors, []);

      const next = await openProcess(t, setting, namespace);
      const attempts: number[] = [];
      await next.jobs.work('q', async ({ attempt }) => void attempts.push(attempt));
      await until('it is done by another', () => attempts.length === 1);
      t.same(attempts, [2]);
      t.equal((await next.jobs.counts('q')).dead, 0);
    },
  );

  await t.test('close may be called twice, with nothing ever done', async (t) => {
    const { jobs } = await openProcess(t, setting, someNamespace());
    await Promise.all([jobs.close(), jobs.close()]);
    await t.rejects(jobs.enqueue('q', { fact: 'f', data: {} }), { name: 'JobsUnavailable' });
  });
}
