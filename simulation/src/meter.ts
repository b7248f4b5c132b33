/** How far it is: a bar on a terminal, elsewhere a line now and then. */
import { Presets, SingleBar } from 'cli-progress';

export interface Meter {
  show(done: number): void;
  /** Seeds per second, over all. */
  stop(done: number): string;
}

const LINE_MS = 10_000;

export function startMeter(count: number): Meter {
  const began = performance.now();
  const rate = (done: number): string => (done / ((performance.now() - began) / 1_000)).toFixed(1);
  if (!process.stdout.isTTY) return lines(count, rate);
  const format = '{bar} {percentage} %  seed {value} of {total}  {rate}/s  {eta_formatted} left';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  bar.start(count, 0, { rate: 0 });
  return {
    show: (done) => bar.update(done, { rate: rate(done) }),
    stop(done) {
      bar.stop();
      return rate(done);
    },
  };
}

function lines(count: number, rate: (done: number) => string): Meter {
  let shownAt = performance.now();
  return {
    show(done) {
      if (performance.now() - shownAt < LINE_MS) return;
      shownAt = performance.now();
      console.log(`${done} of ${count} seeds, ${rate(done)} a second`);
    },
    stop: rate,
  };
}
