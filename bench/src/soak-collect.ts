/** Loaded into the ledger before its own code: collects garbage when a signal asks for it, so that the heap shows what is kept. */
process.on('SIGUSR2', () => globalThis.gc?.());
