/** Long results, piece by piece. */
import type { Writable } from 'node:stream';

/** No faster than the reader reads. One who has seen enough (`| head`) closes the pipe, and that is the end of it. */
export async function writeChunks(output: Writable, chunks: AsyncIterable<string>): Promise<void> {
  // What fails is told to the write itself, and then once more as an event that nobody else listens to.
  output.on('error', () => undefined);
  try {
    for await (const chunk of chunks) await write(output, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

function write(output: Writable, chunk: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(chunk, (error) => (error == null ? resolve() : reject(error)));
  });
}
