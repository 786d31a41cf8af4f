import * as fs from "node:fs";
import * as path from "node:path";
import { readRecord, recordPath } from "../../../../components/secrets/seal/seal-record";
import { fetchOnion } from "../../tor/fetch-onion";
import { until } from "../console";
import type { Stage } from "../stage";
import { succeed } from "../succeed";
import type { Story } from "./story";

export function address({ facts }: Stage): string {
  return Object.values(facts.services)[0]?.hostname ?? "";
}

export const page: Story = {
  name: "its page, fetched over Tor",
  isWhileUp: true,
  async tell(stage) {
    const url = `http://${address(stage)}/`;
    const { status, body } = await fetchOnion(stage.tor.client.socksPort, url, { deadlineMs: 60_000 });
    if (status !== 200) throw new Error(`${url} answers ${status}`);
    const site = fs.readFileSync(path.join("nix", "site", "index.html"));
    if (!body.equals(site)) throw new Error(`${url} shows another page than nix/site/`);
    await stage.console.seen(new RegExp(`sealed-onion: published: ${address(stage)}`), { from: 0, withinMs: 10_000 });
  },
};

export const ssh: Story = {
  name: "SSH over the onion address, with the host key that was sealed",
  isWhileUp: true,
  async tell(stage) {
    const { machine, sshKey, tor, folders } = stage;
    const own = (await machine.run("sh", ["-c", "ls /etc/ssh | grep ssh_host_ || true"])).trim();
    if (own !== "") throw new Error(`the machine made host keys of its own: ${own}`);
    const known = path.join(folders.disks, "known_hosts");
    const record = readRecord(path.join(folders.program, recordPath("rehearsal", "ssh-host-key")));
    fs.writeFileSync(known, `${address(stage)} ${record?.publicKey}\n`);
    const through = `${process.execPath} components/start/run.mjs test/rehearsal/booted/through-tor.ts ${tor.client.socksPort} %h %p`;
    const options = [
      `UserKnownHostsFile=${known}`,
      "StrictHostKeyChecking=yes",
      "BatchMode=yes",
      `ProxyCommand=${through}`,
    ];
    const how = [...options.flatMap((option) => ["-o", option]), "-i", sshKey, `operator@${address(stage)}`];
    // Where the machine has just restarted, a client's first try ends at introduction points that are gone.
    await until(async () => {
      const who = await succeed("ssh", [...how, "id", "-un"], { deadlineMs: 60_000 });
      if (who.trim() !== "operator") throw new Error(`SSH ends as ${who.trim()}`);
      return true;
    }, 60_000);
  },
};

const PLATFORM = [
  "http://169.254.169.254/metadata/instance/compute/vmId?api-version=2021-02-01&format=text",
  "http://168.63.129.16/?comp=versions",
];

export const packetFilter: Story = {
  name: "the metadata service and the wire server answer root, and nobody else",
  isWhileUp: true,
  async tell({ machine }) {
    for (const url of PLATFORM) {
      const shown = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "5"];
      const ask = ["curl", ...shown, "--header", "Metadata: true", url];
      const asRoot = await machine.run("env", ask);
      const refused = 'setpriv --reuid=65534 --clear-groups "$@" || echo " refused $?"';
      const asNobody = await machine.run("sh", ["-c", refused, "sh", ...ask]);
      if (asRoot !== "200") throw new Error(`root gets ${asRoot} of ${url}`);
      if (!/^000 refused 7$/.test(asNobody.trim()))
        throw new Error(`nobody gets ${asNobody.trim()} of ${url}, expected a refused connection`);
    }
  },
};
