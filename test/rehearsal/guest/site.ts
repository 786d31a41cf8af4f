import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";

export interface Site {
  /** `127.0.0.1:PORT` */
  address: string;
  close(): Promise<void>;
}

/** Serves a folder's files on loopback, as the guest's web server does for `nix/site/`. */
export async function serveSite(folder: string): Promise<Site> {
  const server = http.createServer((request, response) => {
    const name = path.normalize(decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname));
    const file = path.join(folder, name.endsWith("/") ? `${name}index.html` : name);
    fs.readFile(file, (error, content) => {
      if (error) response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
      else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(content);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()).closeAllConnections());
  return { address: `127.0.0.1:${port}`, close };
}
