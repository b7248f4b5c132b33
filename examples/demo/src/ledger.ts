/** The few calls of the API that the demo makes, over a pool of connections. */
import { Pool } from 'undici';

export class Ledger {
  readonly #pool: Pool;
  readonly #headers: Record<string, string>;

  constructor(url: string, key: string, connections: number) {
    this.#pool = new Pool(url, { connections });
    this.#headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  }

  async send<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
    const { status, answer } = await this.#request(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(answer)}`);
    return answer as T;
  }

  /** Every money call may be sent again whole: what was done already is answered as it was. */
  async post<T>(path: string, body: unknown): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const { status, answer } = await this.#request('POST', path, body);
      if (status < 300) return answer as T;
      if ((status !== 503 && status !== 429) || tries === 20) {
        throw new Error(`POST ${path} answered ${status}: ${JSON.stringify(answer)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, 50 * 2 ** tries)));
    }
  }

  async #request(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body: unknown,
  ): Promise<{ status: number; answer: unknown }> {
    const { statusCode, body: answer } = await this.#pool.request({
      method,
      path,
      headers: this.#headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: statusCode, answer: await answer.json() };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
