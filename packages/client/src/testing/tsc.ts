/** The workspace's own compiler, in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../../..');
/** Not its `bin`: the test runner's hooks, which reach into every Node process, cannot load a file without an extension. */
const TSC = join(ROOT, 'node_modules/typescript/lib/tsc.js');

/** @returns the lines in which it complains */
export function tsc(...args: string[]): Promise<string[]> {
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((resolve, reject) => {
    const all = [TSC, '--pretty', 'false', ...args];
    execFile(process.execPath, all, { env: { PATH, HOME } }, (error, stdout) => {
      // A compiler that could not even start has nothing against the code, either.
      if (error !== null && stdout === '') reject(error);
      else resolve(stdout.split('\n').filter((line) => /\berror TS\d+/.test(line)));
    });
  });
}
