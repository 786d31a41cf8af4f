import { randomBytes } from "node:crypto";
import { until } from "../console";
import type { Stage } from "../stage";
import { digest, openDigest, starts } from "./rotations";
import { active, property, SITE, serving } from "./services";
import type { Story } from "./story";
import { sealed, withoutUserData } from "./user-data";

const units = ["sops-install-secrets.service", "refresh-secrets.service"].map((name) => `/etc/systemd/system/${name}`);
const NEXT = "/nix/store/next-manifest.json";

/** Where the machine's own manifest lies. */
export async function manifestOf({ machine }: Stage): Promise<string> {
  const unit = await machine.run("cat", [units[0] ?? ""]);
  return /\/nix\/store\/[0-9a-z]{32}-manifest\.json/.exec(unit)?.[0] ?? "";
}

/** As a switch does to the units whose text is another: the new text, then a restart of what opens the secrets. */
async function useManifest({ machine }: Stage, from: string, to: string): Promise<void> {
  await machine.run("sed", ["-i", `s#${from}#${to}#`, ...units]);
  await machine.run("systemctl", ["daemon-reload"]);
  await machine.run("systemctl", ["restart", "sops-install-secrets.service"]);
}

/** The next system's manifest: another token, and no blob any more. */
async function writeNext(stage: Stage, ours: string, token: string): Promise<void> {
  const { machine } = stage;
  const write = (file: string, content: object) =>
    machine.run("tee", [file], { input: Buffer.from(JSON.stringify(content)) });
  await write("/nix/store/next-token.sops.json", await sealed(stage, "token", Buffer.from(token)));
  const manifest = JSON.parse(await machine.run("cat", [ours]));
  const secrets = manifest.secrets.filter(({ name }: { name: string }) => name !== "blob");
  for (const secret of secrets) if (secret.name === "token") secret.sopsFile = "/nix/store/next-token.sops.json";
  await write(NEXT, { ...manifest, secrets });
}

/** What the switch did: a changed secret to its consumer alone, and one that is no longer declared is gone. */
async function checkNext(stage: Stage, token: string, tor: string, before: number): Promise<void> {
  if ((await openDigest(stage, "token")) !== digest(token)) throw new Error("the next system's token is not open");
  await until(async () => (await starts(stage, SITE)) === before + 1, 10_000);
  await active(stage, [SITE], 10_000);
  if ((await property(stage, "tor.service", "InvocationID")) !== tor)
    throw new Error("tor was restarted, whose key is the same");
  const left = await stage.machine.run("sh", ["-c", "cat /run/secrets/blob /run/app/blob 2>/dev/null | wc -c"]);
  if (left.trim() !== "0") throw new Error("a secret that is no longer declared can still be read");
}

export const switched: Story = {
  name: "a switch to another generation with a secret changed and one removed, and back",
  isLong: true,
  tell: (stage) =>
    withoutUserData(stage, async () => {
      const token = `token-${randomBytes(24).toString("hex")}`;
      stage.plaintexts.push({ name: "next generation's token", bytes: Buffer.from(token) });
      const own = await openDigest(stage, "token");
      const tor = await property(stage, "tor.service", "InvocationID");
      const before = await starts(stage, SITE);
      const ours = await manifestOf(stage);
      await writeNext(stage, ours, token);
      try {
        await useManifest(stage, ours, NEXT);
        await checkNext(stage, token, tor, before);
      } finally {
        await useManifest(stage, NEXT, ours);
      }
      if ((await openDigest(stage, "token")) !== own)
        throw new Error("back in the first generation its token is not open");
      await serving(stage, 20_000);
    }),
};
