/**
 * One HTTP/1.1 connection that is kept alive, one request at a time, and nothing else of HTTP: the generator runs on
 * the cores of what it measures, so each microsecond of its own makes the yardstick look worse.
 */
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const HEAD_END = '\r\n\r\n';

export class Connection {
  readonly #socket: Socket;
  #onAnswer: ((answer: Answer) => void) | null = null;
  readonly #onLost: (error: Error) => void;
  #chunks: Buffer[] = [];
  #received = 0;
  /** Of the answer being received; 0 while its head is not complete. */
  #expected = 0;
  #headBytes = 0;
  #closed = false;

  private constructor(socket: Socket, onLost: (error: Error) => void) {
    this.#socket = socket;
    this.#onLost = onLost;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => this.#lose(new Error('the server closed a connection')));
  }

  /** @param onLost called once, when it ends in any way but by `close` */
  static open(url: string, onLost: (error: Error) => void): Promise<Connection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.off('error', reject);
        resolve(new Connection(socket, onLost));
      });
      socket.once('error', reject);
    });
  }

  /** `request` is the whole text, head and body, in ASCII. The one before must have been answered. */
  send(request: string, onAnswer: (answer: Answer) => void): void {
    if (this.#onAnswer !== null) throw new Error('one request at a time');
    this.#onAnswer = onAnswer;
    this.#socket.write(request, 'latin1');
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#expected === 0 && !this.#readHead()) return;
    if (this.#received < this.#expected) return;
    const whole = this.#gathered();
    const answer = {
      status: Number(whole.toString('latin1', 9, 12)),
      body: whole.toString('utf8', this.#headBytes, this.#expected),
    };
    this.#chunks = [];
    this.#received = 0;
    this.#expected = 0;
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(answer);
  }

  #readHead(): boolean {
    const whole = this.#gathered();
    const end = whole.indexOf(HEAD_END, 0, 'latin1');
    if (end < 0) return false;
    const length = /\r\ncontent-length: *(\d+)/i.exec(whole.toString('latin1', 0, end))?.[1];
    if (length === undefined) {
      this.#lose(new Error('an answer without its length'));
      this.close();
      return false;
    }
    this.#headBytes = end + HEAD_END.length;
    this.#expected = this.#headBytes + Number(length);
    return true;
  }

  #gathered(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  #lose(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onLost(error);
  }
}
