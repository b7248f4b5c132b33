/** How far long work is: a bar on a terminal, nothing where standard error is piped. */
import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './command.ts';

export interface Progress {
  readonly events: number;
  readonly position: bigint;
}

export interface Meter {
  show(progress: Progress): void;
  stop(): void;
}

const PARTS = 1_000;

/** @param aim the position to come to: the store does not count its events; null where nobody knows */
export function startMeter(output: Output, what: string, aim: bigint | null): Meter {
  if (!output.isTerminal) return { show: () => undefined, stop: () => undefined };
  const measure = aim === null || aim === 0n ? '' : '{bar} {percentage} %  ';
  const format = `${what}  ${measure}{events} events  {rate}/s`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  const began = performance.now();
  bar.start(PARTS, 0, { events: 0, rate: 0 });
  return {
    show({ events, position }) {
      const rate = Math.round((events * 1_000) / Math.max(1, performance.now() - began));
      bar.update(aim === null || aim === 0n ? 0 : partOf(position, aim), { events, rate });
    },
    stop: () => bar.stop(),
  };
}

const partOf = (position: bigint, aim: bigint): number =>
  Math.min(PARTS, Number((position * BigInt(PARTS)) / aim));
