import t from 'tap';
import { inTime, nowAndThen } from './in-time.ts';

t.test('an answer is kept for its time, and longer where it was slow to find', async (t) => {
  let now = 0;
  let took = 1;
  let reads = 0;
  const ask = nowAndThen(
    async () => {
      now += took;
      return ++reads;
    },
    1_000,
    5_000,
    () => now,
  );
  t.equal(await ask(), 1);
  now += 999;
  t.equal(await ask(), 1);
  now += 1;
  took = 100;
  t.equal(await ask(), 2);
  now += 1_999;
  t.equal(await ask(), 2, 'twenty times a tenth of a second');
  now += 1;
  t.equal(await ask(), 3);
});

t.test('many who ask at once make one question', async (t) => {
  let reads = 0;
  const ask = nowAndThen(async () => ++reads, 1_000, 5_000);
  t.same(await Promise.all([ask(), ask(), ask()]), [1, 1, 1]);
});

t.test(
  'where there is no answer in time nothing is said, also nothing old, and the next one may ask again',
  async (t) => {
    let now = 0;
    let fails = false;
    const read = async (): Promise<string> => {
      if (fails) throw new Error('the database is away');
      return 'known';
    };
    const ask = nowAndThen(read, 10, 5_000, () => now);
    t.equal(await ask(), 'known');
    now = 20;
    fails = true;
    t.equal(await ask(), null);
    fails = false;
    t.equal(await ask(), 'known');
    t.equal(await inTime(new Promise(() => undefined), 1), null);
  },
);
