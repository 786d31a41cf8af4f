import { SocksClient } from "socks";

/** For ssh's ProxyCommand: `through-tor.ts SOCKS_PORT HOST PORT` joins standard input and output to that host. */
async function main(): Promise<void> {
  const [socksPort, host = "", port] = process.argv.slice(2);
  const proxy = { host: "127.0.0.1", port: Number(socksPort), type: 5 as const };
  const destination = { host, port: Number(port) };
  const { socket } = await SocksClient.createConnection({ proxy, command: "connect", destination, timeout: 50_000 });
  process.stdin.pipe(socket).pipe(process.stdout);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
