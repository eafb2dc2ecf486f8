import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import ssh2, { type Server, type Connection as ServerConnection } from 'ssh2';

/** An ssh server on this machine that lets everybody in, runs what it is told, and makes the TCP connections it is asked for. */
export class SmallSshd {
  readonly logins: ServerConnection[] = [];
  readonly #server: Server;
  readonly #hostKey: string;
  readonly #knownHosts: string;

  /** Its port is written into the known_hosts file once it listens; what it is told to run passes `reading`. */
  constructor(hostKey: string, knownHosts: string, reading: (text: string) => string = (text) => text) {
    this.#hostKey = hostKey;
    this.#knownHosts = knownHosts;
    this.#server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (connection) => {
      connection.on('error', () => undefined);
      connection.on('authentication', (context) => (context.method === 'publickey' ? context.accept() : context.reject()));
      connection.on('ready', () => this.logins.push(connection));
      connection.on('close', () => this.logins.splice(this.logins.indexOf(connection), 1));
      connection.on('session', (accept) =>
        accept().on('exec', (take, _reject, { command }) => {
          const channel = take();
          const child = spawn('sh', ['-c', reading(command)]);
          // A command comes in one piece.
          channel.on('data', (chunk: Buffer) => child.stdin.write(reading(chunk.toString('latin1')), 'latin1'));
          channel.once('end', () => child.stdin.end());
          child.stdin.on('error', () => undefined);
          child.stdout.pipe(channel, { end: false });
          child.stderr.pipe(channel.stderr, { end: false });
          channel.once('close', () => child.kill());
          child.once('close', (code) => {
            channel.exit(code ?? 255);
            channel.end();
          });
        }),
      );
      connection.on('tcpip', (accept, reject, { destPort }) => {
        const socket = connect(destPort, '127.0.0.1');
        socket.once('error', () => reject());
        socket.once('connect', () => {
          const channel = accept();
          channel.on('error', () => undefined);
          socket.pipe(channel).pipe(socket);
        });
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const [type, blob] = readFileSync(`${this.#hostKey}.pub`, 'utf8').split(' ');
    writeFileSync(this.#knownHosts, `[127.0.0.1]:${port} ${type} ${blob?.trim()}\n`, { flag: 'a' });
    return port;
  }

  close(): void {
    for (const connection of this.logins) connection.end();
    this.#server.close();
  }
}
