/** The options of a command line: help ends the process with 0, an option that is not known with 2 and one line. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

type Values<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/** @param usage its first word but one is the command's name: `pnpm soak [--minutes 10]` */
export function readArguments<const T extends ParseArgsOptionsConfig>(usage: string, options: T): Values<T> {
  if (process.argv.slice(2).includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs<{ options: T }>({ options }).values;
  } catch (error) {
    return refuseArguments(usage, error instanceof Error ? error.message : String(error));
  }
}

export function refuseArguments(usage: string, fault: string): never {
  const name = usage.split(' ', 2).join(' ');
  console.error(`${name}: ${fault}; --help tells what there is`);
  process.exit(2);
}
