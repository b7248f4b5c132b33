/** What is put in is delivered, once for a fact in a round, and twice where a process seems to have died. */
import type { Test } from 'tap';
import { aWhile, engineId, gate, idle, openProcess, type Setting, someNamespace, until } from './fixtures.ts';

export async function deliveringContract(t: Test, setting: Setting): Promise<void> {
  await t.test('a job comes with its fact, its round, its data and the number of the attempt', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    const data = { account: 'acme', deep: { list: [1, 'two', null] }, text: 'ünï ❤' };
    await jobs.enqueue('wake', { fact: 'wake:acme:2026-03-01T00:00:00.000Z', round: 7, data });
    const seen: object[] = [];
    await jobs.work('wake', async ({ signal: _, progress: __, ...job }) => void seen.push(job));
    await until('it is delivered', () => outcomes.length === 1);
    t.same(seen, [
      { queue: 'wake', fact: 'wake:acme:2026-03-01T00:00:00.000Z', round: '7', data, attempt: 1 },
    ]);
    t.same(outcomes, ['done']);
    await until('nothing is left', idle(jobs, 'wake'));
  });

  await t.test('a fact put in twice in a round is one job, from two processes too', async (t) => {
    const namespace = someNamespace();
    const one = await openProcess(t, setting, namespace);
    const two = await openProcess(t, setting, namespace);
    const job = { fact: 'f', round: 1, data: { of: 'either' } };
    await Promise.all([one, two, one, two].map(({ jobs }) => jobs.enqueue('q', job)));
    await one.jobs.enqueueAll('q', [job, job]);
    t.same(await two.jobs.counts('q'), { waiting: 1, running: 0, retrying: 0, dead: 0 });
    let handled = 0;
    const waiting = gate();
    await one.jobs.work('q', async () => {
      handled += 1;
      await waiting.passed;
    });
    await until('it runs', () => handled === 1);
    await two.jobs.enqueue('q', job);
    t.same(
      await two.jobs.counts('q'),
      { waiting: 0, running: 1, retrying: 0, dead: 0 },
      'while it runs, too',
    );
    waiting.open();
    await until('nothing is left', idle(one.jobs, 'q'));
    t.equal(handled, 1);
  });

  await t.test(
    'the same fact is another job in another round, in another queue, and once it is done',
    async (t) => {
      const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
      const seen: string[] = [];
      for (const queue of ['one', 'two'])
        await jobs.work(queue, async ({ round }) => void seen.push(`${queue} ${round}`));
      for (const round of [1, 2]) await jobs.enqueue('one', { fact: 'f', round, data: {} });
      await jobs.enqueue('two', { fact: 'f', round: 1, data: {} });
      await until('all are done', () => outcomes.length === 3);
      await until('nothing is left', idle(jobs, 'one'));
      await jobs.enqueue('one', { fact: 'f', round: 1, data: {} });
      await until('it is done again', () => outcomes.length === 4);
      t.same(seen.sort(), ['one 1', 'one 1', 'one 2', 'two 1']);
    },
  );

  await t.test('at most so many run at a time as were asked for, and all of them run', async (t) => {
    const { jobs, outcomes } = await openProcess(t, setting, someNamespace());
    const facts = Array.from({ length: 60 }, (_, n) => `f${n}`);
    let running = 0;
    let most = 0;
    const seen = new Set<string>();
    await jobs.work(
      'q',
      async ({ fact }) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen.add(fact);
        running -= 1;
      },
      { concurrency: 6 },
    );
    await jobs.enqueueAll(
      'q',
      facts.map((fact) => ({ fact, data: {} })),
    );
    await until('all are done', () => outcomes.length === 60);
    t.equal(seen.size, 60);
    t.ok(most <= 6 && most > 1, `${most} at a time`);
  });

  await t.test('processes share a queue: each job goes to one of them', async (t) => {
    const namespace = someNamespace();
    const both = [await openProcess(t, setting, namespace), await openProcess(t, setting, namespace)];
    const seen: string[] = [];
    for (const { jobs } of both)
      await jobs.work('q', async ({ fact }) => void seen.push(fact), { concurrency: 4 });
    const facts = Array.from({ length: 100 }, (_, n) => `f${n}`).sort();
    await both[0]?.jobs.enqueueAll(
      'q',
      facts.map((fact) => ({ fact, data: {} })),
    );
    await until('all are done', () => seen.length >= 100);
    await aWhile();
    t.same(seen.sort(), facts);
  });

  await t.test(
    'a job whose process seems dead is delivered twice, and a handler that may is not harmed',
    async (t) => {
      const namespace = someNamespace();
      const stuck = await openProcess(t, setting, namespace);
      const other = await openProcess(t, setting, namespace);
      const deliveries: number[] = [];
      const effects = new Set<string>();
      const waiting = gate();
      await stuck.jobs.work('q', async ({ fact, attempt }) => {
        deliveries.push(attempt);
        await waiting.passed;
        effects.add(fact);
      });
      await stuck.jobs.enqueue('q', { fact: 'pay:1', round: 3, data: {} });
      await until('it runs', () => deliveries.length === 1);
      await setting.forsake(namespace, 'q', engineId('q', 'pay:1', '3'));
      await other.jobs.work('q', async ({ fact, attempt }) => {
        deliveries.push(attempt);
        effects.add(fact);
      });
      await until('it comes again', () => deliveries.length === 2, 60_000);
      waiting.open();
      await until('both have ended', () => stuck.outcomes.length + other.outcomes.length === 2);
      await until('nothing is left', idle(other.jobs, 'q'));
      t.same(deliveries, [1, 2]);
      t.same([...effects], ['pay:1']);
      t.equal((await other.jobs.counts('q')).dead, 0);
    },
  );

  await t.test('a handler tells how far it is, until it has ended', async (t) => {
    const { jobs } = await openProcess(t, setting, someNamespace());
    const waiting = gate();
    await jobs.work('q', async (job) => {
      await job.progress(1, 10);
      await job.progress(4, 10);
      await waiting.passed;
    });
    t.equal(await jobs.progress('q', 'f', 1), null);
    await jobs.enqueue('q', { fact: 'f', round: 1, data: {} });
    await until('it has told', async () => (await jobs.progress('q', 'f', 1))?.done === 4);
    t.match(await jobs.progress('q', 'f', 1), { done: 4, total: 10 });
    t.equal(await jobs.progress('q', 'f', 2), null, 'of this round only');
    waiting.open();
    await until('it is forgotten', async () => (await jobs.progress('q', 'f', 1)) === null);
  });

  await t.test('what cannot be a queue or a fact is said where it is used', async (t) => {
    const { jobs } = await openProcess(t, setting, someNamespace());
    for (const queue of ['', 'Two Words', 'a:b', `q'; drop table x`])
      await t.rejects(jobs.enqueue(queue, { fact: 'f', data: {} }), /not a name for a queue/);
    for (const fact of ['', 'x'.repeat(513)])
      await t.rejects(jobs.enqueue('q', { fact, data: {} }), /a fact has 1 to 512/);
    await jobs.work('q', async () => undefined);
    await t.rejects(
      jobs.work('q', async () => undefined),
      /has a handler already/,
    );
    await t.rejects(
      jobs.work('w', async () => undefined, { timeoutMs: 601_000 }),
      /600000 ms at most/,
    );
  });
}
