import { runCli } from './cli.ts';

/** Who has seen enough (`| head`) closes the pipe, and that is the end of it: no fault of the command. */
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  output: {
    results: process.stdout,
    isTerminal: process.stderr.isTTY === true,
    line: (text) => process.stderr.write(`${text}\n`),
  },
});
