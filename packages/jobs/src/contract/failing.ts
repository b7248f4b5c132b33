/** What fails is tried again, and what fails too often is told, gone from the engine, and blocks nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { aWhile, gate, idle, openProcess, type Setting, someNamespace, until } from './fixtures.ts';

export async function failingContract(t: Test, setting: Setting): Promise<void> {
  await t.test('a job that fails is tried again, after a pause, until it is done', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    const times: number[] = [];
    await jobs.work('q', async ({ attempt }) => {
      times.push(performance.now());
      if (attempt < 3) throw new Error('not yet');
    });
    await jobs.enqueue('q', { fact: 'f', data: {} });
    await until('it is retrying', async () => (await jobs.counts('q')).retrying === 1);
    await until('it is done', () => outcomes.length === 3);
    t.same(outcomes, ['failed', 'failed', 'done']);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const ms of pauses) t.ok(ms > 900 && ms < 5_000, `${Math.round(ms)} ms`);
    await until('nothing is left', idle(jobs, 'q'));
    t.same(await jobs.deadLetters.list(), []);
  });

  await t.test(
    'one that fails at every attempt becomes a letter, and the next round is not blocked',
    async (t) => {
      const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
      let mended = false;
      const seen: string[] = [];
      const handler = async ({ round, attempt }: { round: string; attempt: number }): Promise<void> => {
        seen.push(`${round}.${attempt}`);
        if (!mended) throw new TypeError('no such plan');
      };
      await jobs.work('renew', handler, { attempts: 2 });
      const job = { fact: 'renew:s1:2026-03', data: { subscription: 's1' } };
      await jobs.enqueue('renew', { ...job, round: 1 });
      await until('it is dead', () => outcomes.includes('dead'));
      t.same(outcomes, ['failed', 'dead']);
      t.match(await jobs.deadLetters.list({ queue: 'renew' }), [
        { ...job, queue: 'renew', round: '1', error: 'TypeError: no such plan', attempts: 2, deaths: 1 },
      ]);
      await until('the engine has nothing', idle(jobs, 'renew'));
      t.equal((await jobs.counts('renew')).dead, 1);

      await jobs.enqueue('renew', { ...job, round: 2 });
      await until('it is dead again', () => outcomes.length === 4);
      t.match(
        await jobs.deadLetters.list(),
        [{ fact: job.fact, round: '2', deaths: 2 }],
        'in the same letter',
      );
      mended = true;
      await until('the engine has nothing', idle(jobs, 'renew'));
      await jobs.enqueue('renew', { ...job, round: 3 });
      await until('it is done', () => outcomes.length === 5);
      await until('its letter is gone', async () => (await jobs.deadLetters.list()).length === 0);
      t.same(seen, ['1.1', '1.2', '2.1', '2.2', '3.1']);
    },
  );

  await t.test('a letter can be tried again, or thrown away', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    let mended = false;
    const seen: object[] = [];
    await jobs.work(
      'q',
      async ({ data }) => {
        if (!mended) throw new Error('broken');
        seen.push(data);
      },
      { attempts: 1 },
    );
    for (const fact of ['a', 'b']) await jobs.enqueue('q', { fact, data: { of: fact } });
    await until('both are dead', async () => (await jobs.counts('q')).dead === 2);
    t.match(await jobs.deadLetters.find('q', ['b', 'c']), [{ fact: 'b', data: { of: 'b' }, deaths: 1 }]);
    t.same(await jobs.deadLetters.find('q', []), []);
    t.same(await jobs.deadLetters.find('other', ['a', 'b']), []);
    mended = true;
    t.equal(await jobs.deadLetters.retry('q', 'a'), true);
    await until('it is done', () => outcomes.includes('done'));
    t.same(seen, [{ of: 'a' }]);
    t.equal(await jobs.deadLetters.discard('q', 'b'), true);
    await until('no letter is left', async () => (await jobs.deadLetters.list()).length === 0);
    t.equal(await jobs.deadLetters.retry('q', 'b'), false);
    t.equal(await jobs.deadLetters.discard('q', 'b'), false);
  });

  await t.test('a handler that hangs is told, and does not keep others from their turn', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    const done: string[] = [];
    const reasons: unknown[] = [];
    await jobs.work(
      'q',
      async ({ fact, signal }) => {
        if (fact === 'hangs') {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          await new Promise(() => undefined);
        }
        done.push(fact);
      },
      { attempts: 1, timeoutMs: 300 },
    );
    await jobs.enqueue('q', { fact: 'hangs', data: {} });
    await jobs.enqueue('q', { fact: 'next', data: {} });
    await until('both have ended', () => outcomes.length === 2);
    t.same(outcomes.sort(), ['dead', 'done']);
    t.same(done, ['next']);
    t.match(reasons, [/did not end within 0.3 s/]);
    t.match(await jobs.deadLetters.list(), [{ fact: 'hangs', error: /did not end within 0.3 s/ }]);
  });

  await t.test('a handler that ends after its time changes nothing any more', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    const late = gate();
    const attempts: number[] = [];
    await jobs.work(
      'q',
      async ({ attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) {
          await late.passed;
          throw new Error('nobody listens');
        }
      },
      { timeoutMs: 200 },
    );
    await jobs.enqueue('q', { fact: 'f', data: {} });
    await until('it is done at the second attempt', () => outcomes.includes('done'));
    late.open();
    await aWhile();
    t.same(outcomes, ['failed', 'done']);
    t.same(attempts, [1, 2]);
  });

  await t.test('a handler that is slow, but in time, is delivered once', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    await jobs.work('q', () => pause(3_000));
    await jobs.enqueue('q', { fact: 'f', data: {} });
    await until('it has ended', () => outcomes.length === 1);
    await aWhile();
    t.same(outcomes, ['done']);
  });

  await t.test('what a handler throws may be anything', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    const thrown: Record<string, unknown> = {
      text: 'text',
      nothing: undefined,
      nul: new Error('a\0b'),
      long: 'x'.repeat(9_000),
    };
    await jobs.work(
      'q',
      ({ fact }) => {
        throw thrown[fact];
      },
      { attempts: 1, concurrency: 4 },
    );
    await jobs.enqueueAll(
      'q',
      Object.keys(thrown).map((fact) => ({ fact, data: {} })),
    );
    await until('all are dead', () => outcomes.length === 4);
    const letters = new Map((await jobs.deadLetters.list()).map(({ fact, error }) => [fact, error]));
    t.equal(letters.get('text'), 'text');
    t.equal(letters.get('nothing'), 'undefined');
    t.equal(letters.get('nul'), 'Error: ab');
    t.equal(letters.get('long')?.length, 4_000);
  });
}
