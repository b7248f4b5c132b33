import t from 'tap';
import { createMeter } from './meter.ts';

const linesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(name));

t.test('a histogram counts each value in every bucket that is not below it', async (t) => {
  const meter = createMeter();
  const histogram = meter.histogram('wait_seconds', 'How long.', [0.1, 1], ['kind']);
  const [fast, slow] = [histogram({ kind: 'fast' }), histogram({ kind: 'slow' })];
  for (const value of [0.1, 0.5, 7]) fast.observe(value);
  slow.observe(1);
  const lines = linesOf(await meter.text(), 'wait_seconds_bucket');
  t.same(
    lines.map((line) => Number(line.split(' ').at(-1))),
    [1, 2, 3, 0, 1, 1],
  );
});

t.test('what is not known, or fails to be read, is left out and spoils nothing', async (t) => {
  const meter = createMeter();
  let known: number | null = 5;
  meter.read('gauge', 'now_unknown', 'Known at first.', () => known);
  meter.read('gauge', 'broken', 'Fails.', () => Promise.reject(new Error('the database is away')));
  meter.read('gauge', 'broken_by_kind', 'Fails.', () => Promise.reject(new Error('away')), ['kind']);
  meter.read('gauge', 'unknown_by_kind', 'Never known.', () => null, ['kind']);
  meter.read('counter', 'made_total', 'Made.', async () => [[{ of: 'a "b"' }, 3]], ['of']);
  t.same(linesOf(await meter.text(), 'now_unknown'), ['now_unknown 5']);
  known = null;
  const text = await meter.text();
  t.same(linesOf(text, 'now_unknown'), []);
  for (const name of ['broken', 'unknown_by_kind']) t.same(linesOf(text, name), []);
  t.same(linesOf(text, 'made_total'), ['made_total{of="a \\"b\\""} 3'], 'read anew, and not added up');
});

t.test('two metrics of one name are a mistake', async (t) => {
  const meter = createMeter();
  meter.read('gauge', 'one', 'One.', () => 1);
  t.throws(() => meter.read('gauge', 'one', 'One.', () => 1), /already been registered/);
});

t.test('the process tells of its memory, its CPU and its event loop', async (t) => {
  const text = await createMeter().text();
  const names = ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_heap_size_used_bytes'];
  for (const name of names) t.match(text, new RegExp(`^${name} [0-9.e+]*[1-9]`, 'm'));
  t.match(text, /^nodejs_eventloop_lag_seconds /m);
});
