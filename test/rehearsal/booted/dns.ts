import * as dgram from "node:dgram";
import { decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED } from "dns-packet";
import type { Cloud } from "loopback-azure/cloud";
import { nameBefore } from "loopback-azure/cloud-names";
import { addresses } from "./network";

/** Azure's name server for machines: it knows the hosts that are there. */
export interface NameServer {
  /** While false it answers nothing, as if it were gone. */
  isUp: boolean;
  close(): Promise<void>;
}

const NXDOMAIN = 3;

export async function startDns(cloud: Cloud): Promise<NameServer> {
  const isHost = (name: string) => {
    const { login, storage, vault: vaults } = cloud.names;
    const [vault, account] = [nameBefore(name, vaults), nameBefore(name, `blob.${storage}`)];
    if (vault !== undefined) return cloud.vault(vault) !== undefined;
    return login.includes(name) || (account !== undefined && cloud.storageAccount(account) !== undefined);
  };
  const socket = dgram.createSocket("udp4");
  const server: NameServer = { isUp: true, close: () => new Promise((resolve) => socket.close(() => resolve())) };
  socket.on("message", (message, { port, address }) => {
    const { id, questions = [] } = decode(message);
    if (!server.isUp) return;
    const names = questions.map(({ name }) => name.toLowerCase());
    const known = names.every(isHost);
    const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | (known ? 0 : NXDOMAIN);
    const asked = questions.filter(({ type }) => type === "A").map(({ name }) => name);
    const answers = known ? asked.map((name) => ({ type: "A" as const, name, ttl: 5, data: addresses.hosts })) : [];
    socket.send(
      encode({ type: "response", ...(id !== undefined && { id }), flags, questions, answers }),
      port,
      address,
    );
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(53, addresses.wireServer, resolve);
  });
  return server;
}
