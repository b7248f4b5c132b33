/** One line that says what is being measured; nothing where the output is not a terminal. */

export interface Progress {
  tell(what: string): void;
  end(): void;
}

export function openProgress(output: NodeJS.WriteStream = process.stdout): Progress {
  const began = performance.now();
  const write = (text: string): void => {
    if (output.isTTY) output.write(`\r\x1b[K${text}`);
  };
  return {
    tell: (what) => write(`${Math.round((performance.now() - began) / 1_000)} s  ${what} …`),
    end: () => write(''),
  };
}
