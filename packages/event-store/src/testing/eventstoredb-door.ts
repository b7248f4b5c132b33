/** Takes the connections of the EventStoreDB stand-in, so that they can be cut, and the port opened and closed. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

export interface Door {
  readonly port: number;
  /** Resets all connections. */
  cut(): void;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; with port 0 on any free one, which it then keeps. */
export async function openDoor(server: Server, port: number): Promise<Door> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Half of the tests cut connections: the error belongs to them.
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    injector.injectConnection(socket);
  });
  let kept = port;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const open = async () => {
    listener.listen(kept, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address() as AddressInfo;
    kept = address.port;
  };
  await open();
  return {
    port: kept,
    cut,
    open,
    async close() {
      if (!listener.listening) return;
      const closed = once(listener, 'close');
      listener.close();
      cut();
      await closed;
    },
  };
}
