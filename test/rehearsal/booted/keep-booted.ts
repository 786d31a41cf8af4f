import * as path from "node:path";
import { keptText } from "../kept-text";
import { outsideProcess } from "./namespaces";
import type { Stage } from "./stage";

/** What can be done with a booted machine that is kept up, from another shell of root in the same folder. */
export function keptBooted({ facts, tor, sshKey, folders }: Stage): string {
  const [hostname = ""] = Object.values(facts.services).map((service) => service.hostname);
  const { socksPort } = tor.client;
  const inside = `nsenter --target ${outsideProcess()} --mount --net`;
  const proxy = `node components/start/run.mjs test/rehearsal/booted/through-tor.ts ${socksPort} %h %p`;
  const ssh = `ssh -i ${sshKey} -o UserKnownHostsFile=${path.join(folders.disks, "known_hosts")} -o 'ProxyCommand=${proxy}'`;
  return keptText({
    "the page, as root": [`${inside} curl --proxy socks5h://127.0.0.1:${socksPort} http://${hostname}/`],
    "a shell on the machine, over its onion address (then: journalctl -u tor)": [
      `${inside} ${ssh} operator@${hostname}`,
    ],
    "where things lie, as that nsenter sees them": [
      `${folders.program}  the program, its stack is rehearsal`,
      `${folders.disks}/root  the machine's disk`,
    ],
  });
}
