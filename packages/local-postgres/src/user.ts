/**
 * PostgreSQL refuses to run as root. Where we are root it runs as `nobody`; where that user cannot reach the files
 * (a checkout under /root, a private temporary folder) it keeps, through util-linux' `setpriv`, root's right to pass
 * folders, and nothing else of root's.
 */
import { execFileSync, spawnSync } from 'node:child_process';

export interface RunAs {
  /** Put before the command: a wrapper that changes the user, or nothing. */
  readonly wrapper: readonly string[];
  /** For `spawn`; undefined where the wrapper does it, or nothing needs doing. */
  readonly uid?: number;
  readonly gid?: number;
  /** Who must own the data folder; null: it is ours already. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** @param paths what the server must be able to reach */
export function unprivilegedUser(paths: readonly string[]): RunAs {
  if (process.getuid?.() !== 0) return { wrapper: [], owner: null };
  const owner = { uid: idOf('-u'), gid: idOf('-g') };
  if (paths.every((path) => reaches(path, owner))) return { wrapper: [], ...owner, owner };
  const wrapper = [
    'setpriv',
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override,+dac_read_search',
    '--ambient-caps=+dac_override,+dac_read_search',
    // Without it access(2) asks as if the capabilities were not there, and initdb calls its own files unreadable.
    '--securebits=+no_setuid_fixup',
  ];
  const works = spawnSync(wrapper[0] ?? '', [...wrapper.slice(1), 'true'], { stdio: 'ignore' });
  if (works.status !== 0) {
    throw new Error(
      `PostgreSQL cannot run as root, and the user nobody cannot reach ${paths.join(' and ')}: ` +
        'start as another user, or from a folder that everyone may pass',
    );
  }
  return { wrapper, owner };
}

function idOf(flag: string): number {
  return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
}

function reaches(path: string, owner: { uid: number; gid: number }): boolean {
  return spawnSync('test', ['-r', path], { ...owner, stdio: 'ignore' }).status === 0;
}
