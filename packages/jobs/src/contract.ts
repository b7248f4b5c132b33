/**
 * The one contract of every jobs engine. What a caller could tell apart between BullMQ on Redis and pg-boss on Postgres
 * fails here.
 */
import type { Test } from 'tap';
import { deliveringContract } from './contract/delivering.ts';
import { drainingContract } from './contract/draining.ts';
import { failingContract } from './contract/failing.ts';
import type { Setting } from './contract/fixtures.ts';
import { recurringContract } from './contract/recurring.ts';

const PARTS = {
  delivering: deliveringContract,
  failing: failingContract,
  draining: drainingContract,
  recurring: recurringContract,
};

export async function jobsContract(t: Test, setting: Setting): Promise<void> {
  // Most of it is waiting, and every test has jobs of its own.
  t.jobs = Object.keys(PARTS).length;
  await Promise.all(
    Object.entries(PARTS).map(([name, part]) => t.test(name, { buffered: true }, (t) => part(t, setting))),
  );
}
