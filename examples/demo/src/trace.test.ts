import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readTraces, seededTrace } from './trace.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens\n';
const ROW = '2023-11-16 18:17:03.9799600,4808,10\n';
const CALL = { occurredAt: '2023-11-16T18:17:03.979Z', inputTokens: 4808, outputTokens: 10 };

/** What the demo reads out of a file of this text. */
function callsOf(t: Test, text: string) {
  const file = join(t.testdir(), 'trace.csv');
  writeFileSync(file, text);
  return readTraces([file], NOW);
}

const good: [rule: string, text: string, calls: number][] = [
  ['a header is not a call', HEADER + ROW + ROW, 2],
  ['without a header the first line is a call', ROW + ROW, 2],
  ['a byte order mark before a header is not seen', `\ufeff${HEADER}${ROW}`, 1],
  ['a byte order mark before a call is not seen', `\ufeff${ROW}`, 1],
  ['the last line may lack its end', HEADER + ROW.trim(), 1],
  ['blank lines and Windows line ends do not count', `${HEADER}\r\n${ROW.trim()}\r\n\r\n${ROW}`, 2],
];
for (const [rule, text, count] of good) {
  t.test(rule, async (t) => {
    const { calls, from } = await callsOf(t, text);
    t.equal(from, 'trace.csv');
    t.strictSame(
      calls,
      Array.from({ length: count }, (_, index) => ({ id: `trace-${index}`, ...CALL })),
    );
  });
}

const bad: [rule: string, text: string, message: RegExp][] = [
  ['an empty file is refused', '', /trace\.csv: holds no calls$/],
  ['a file of a header only is refused', HEADER, /trace\.csv: holds no calls$/],
  [
    'a bad time is refused by its line',
    `${HEADER}\n${ROW}yesterday,1,2\n`,
    /line 4: "yesterday" is not a time/,
  ],
  ['a bad time in line 1 is no header', `16.11.2023,1,2\n${ROW}`, /line 1: "16.11.2023" is not a time/],
  ['a day that does not exist is refused', `2023-02-30 00:00:00,1,2\n`, /line 1: .* is not a time/],
  ['an hour that does not exist is refused', `${ROW}2023-02-03 25:00:00,1,2\n`, /line 2: .* is not a time/],
  ['a time in the future is refused', '2026-01-01 00:05:01,1,2\n', /line 1: .* lies in the future/],
  ['a time before 1970 is refused', '1969-12-31 23:59:59,1,2\n', /line 1: .* lies before 1970/],
  ['a bad count is refused', `${ROW}2023-11-16 18:17:04,-1,2\n`, /line 2: "-1" is not a number of input/],
  [
    'a missing count is refused',
    `${ROW}2023-11-16 18:17:04,1\n`,
    /line 2: the number of output tokens is missing/,
  ],
  [
    'an empty count is refused',
    `${ROW}2023-11-16 18:17:04,,2\n`,
    /line 2: the number of input tokens is missing/,
  ],
  ['a broken quote is refused', `${ROW}"2023-11-16"x,1,2\n`, /trace\.csv: .*line 2/],
];
for (const [rule, text, message] of bad) {
  t.test(rule, (t) => t.rejects(callsOf(t, text), { name: 'BadInput', message }));
}

t.test('a clock that is a little ahead is no future', async (t) => {
  const { calls } = await callsOf(t, '2026-01-01 00:04:59,1,2\n');
  t.equal(calls.length, 1);
});

t.test('a file that cannot be read is refused by its name', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'folder.csv'));
  await t.rejects(readTraces([join(folder, 'none.csv')]), {
    name: 'BadInput',
    message: /none\.csv: there is no/,
  });
  await t.rejects(readTraces([join(folder, 'folder.csv')]), { name: 'BadInput', message: /is a folder/ });
});

t.test('one bad file among good ones refuses all', async (t) => {
  const folder = t.testdir({ 'a.csv': ROW, 'b.csv': HEADER });
  const files = ['a.csv', 'b.csv'].map((name) => join(folder, name));
  await t.rejects(readTraces(files), { name: 'BadInput', message: /b\.csv: holds no calls/ });
});

t.test('the made-up trace is the same every time', async (t) => {
  const calls = seededTrace();
  t.strictSame(seededTrace(), calls);
  t.equal(new Set(calls.map(({ id }) => id)).size, 2_000);
  // Held to the numbers themselves: another machine must make the same calls.
  t.strictSame(
    [calls[0], calls.at(-1)],
    [
      { id: 'seeded-0', occurredAt: '2023-11-16T18:00:00.000Z', inputTokens: 1_721, outputTokens: 272 },
      { id: 'seeded-1999', occurredAt: '2023-11-16T18:13:19.600Z', inputTokens: 441, outputTokens: 447 },
    ],
  );
});
