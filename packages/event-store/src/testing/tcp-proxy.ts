/** A wire between a client and a server that can lose the server's answers, or break. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** From now on the client hears nothing more; what it sends still arrives. */
  mute(): void;
  unmute(): void;
  /** Breaks all connections. New ones are accepted. */
  cut(): void;
  close(): Promise<void>;
}

export async function tcpProxy(serverPort: number, serverHost = '127.0.0.1'): Promise<TcpProxy> {
  let muted = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(serverPort, serverHost);
    keep(client, upstream);
    keep(upstream, client);
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => muted || client.write(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    mute: () => {
      muted = true;
    },
    unmute: () => {
      muted = false;
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
