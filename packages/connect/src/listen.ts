/** Why a port could not be taken, in one clear line in place of a system error. */

const FAULTS: Record<string, string> = {
  EADDRINUSE: 'is taken',
  EACCES: 'is not allowed for this user',
  EADDRNOTAVAIL: 'is no address of this machine: see HOST',
  ENOTFOUND: 'is no known name: see HOST',
};

/** @param variable the setting that named the port */
export function cannotListen(error: unknown, variable: string, port: number, host: string): unknown {
  const fault = FAULTS[(error as NodeJS.ErrnoException).code ?? ''];
  return fault === undefined
    ? error
    : new Error(`cannot start: ${host}, port ${port} (${variable}), ${fault}`);
}
