/** A name server for tests, by UDP: every name leads to this machine, but what begins with `silent` is not answered. */
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

export interface Names {
  /** `address:port` */
  readonly server: string;
  /** Every question, those that are asked again too. */
  readonly asked: string[];
}

const A = 1;
const HEADER_BYTES = 12;

/** `none…` has no address, `nobody…` is not known, `broken…` is a fault of its server. */
const CODES: readonly (readonly [beginning: string, code: number])[] = [
  ['none', 0],
  ['nobody', 3],
  ['broken', 2],
];

export async function startNames(t: { teardown(end: () => void): void }): Promise<Names> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const labels: string[] = [];
    let at = HEADER_BYTES;
    for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
      labels.push(question.subarray(at + 1, at + 1 + length).toString());
      at += length + 1;
    }
    const name = labels.join('.');
    const type = question.readUInt16BE(at + 1);
    asked.push(`${name} ${type === A ? 'A' : 'AAAA'}`);
    if (name.startsWith('silent')) return;
    const code = CODES.find(([beginning]) => name.startsWith(beginning))?.[1];
    const answers = code === undefined && type === A ? 1 : 0;
    const header = Buffer.alloc(HEADER_BYTES);
    question.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (code ?? 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers, 6);
    const record = [0xc0, HEADER_BYTES, 0, A, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1];
    const body = question.subarray(HEADER_BYTES, at + 5);
    socket.send(Buffer.concat([header, body, Buffer.from(answers === 0 ? [] : record)]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => void socket.close());
  return { server: `127.0.0.1:${(socket.address() as AddressInfo).port}`, asked };
}
