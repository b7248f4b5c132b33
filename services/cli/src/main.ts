import { runCli } from './cli.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  output: {
    results: process.stdout,
    isTerminal: process.stderr.isTTY === true,
    line: (text) => process.stderr.write(`${text}\n`),
  },
});
