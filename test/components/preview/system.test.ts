import { describe, expect, it } from "vitest";
import { previewComment } from "../../../components/preview/comment";
import { readPlan } from "../../../components/preview/plan";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const COMMAND = "command:local:Command";
const FACTS = {
  services: { web: { secret: "onion", clientAuthorization: ["alice"], ports: { "80": "site" } } },
  secrets: { token: { path: "/run/secrets/token" } },
  update: { reboot: "manual" },
};

type Values = Readonly<Record<string, unknown>>;

function step(op: string, type: string, name: string, old: Values, next: Values, changed: readonly string[]) {
  return {
    op,
    urn: `urn:pulumi:dev::sealed-onion::${type}::${name}`,
    ...(op === "create" ? {} : { oldState: { inputs: old } }),
    ...(op === "delete" ? {} : { newState: { inputs: next } }),
    detailedDiff: Object.fromEntries(changed.map((path) => [path, { kind: "update", inputDiff: true }])),
  };
}

/** The system's build, where these values of its environment become others. */
function build(change: Readonly<Record<string, string>>, facts: object = FACTS) {
  const old = { FACTS: JSON.stringify(facts), NIX_DIGEST: "1", NIX_PARTS: parts({}), SEALED: "{}" };
  const changed = Object.keys(change).map((name) => `environment.${name}`);
  const type = `sealed-onion:index:SystemClosure$${COMMAND}`;
  return step("update", type, "system-build", { environment: old }, { environment: { ...old, ...change } }, changed);
}

const parts = (change: object) => JSON.stringify({ "flake.lock": "1", modules: "1", site: "1", ...change });
const nix = (change: object) => ({ NIX_DIGEST: "2", NIX_PARTS: parts(change) });

function seal(name: string, source: object) {
  const of = (fingerprint: string) => ({
    environment: {
      ...{ SECRET: name, SOURCE: JSON.stringify(source), RECIPIENTS: '{"age":[],"pgp":[]}', GENERATION: "1", KIND: "" },
      ...{ FINGERPRINT: fingerprint, KEY_URL: "https://v/keys/k/1" },
    },
  });
  const type = `sealed-onion:index:SealedSecret$${COMMAND}`;
  return step("update", type, `${name}-seal`, of("1"), of("2"), ["environment.FINGERPRINT"]);
}

function machine(...changed: string[]) {
  const type = "sealed-onion:index:OnionVm$azure-native:compute:VirtualMachine";
  const of = (vmSize: string) => ({ hardwareProfile: { vmSize } });
  const isResized = changed.includes("hardwareProfile.vmSize");
  return step("update", type, "vm-machine", of("Standard_B2s"), of(`Standard_B2${isResized ? "m" : ""}s`), changed);
}

function comment(...steps: object[]): string {
  return previewComment(readPlan(JSON.stringify({ steps, changeSummary: { same: 3 } })));
}

const TOR = "The service is away for about 4 to 6 seconds, as tor restarts.";
const OPEN =
  "The service stays up; where tor or its settings change, it is away for about 4 to 6 seconds; another kernel waits for a reboot.";

describe("a system that is taken in place, in the comment", () => {
  it.each<[string, object[], string, string]>([
    ["pages", [build({ ...nix({ site: "2" }) })], "The service stays up.", "pages (`nix/site/`)"],
    ["packages", [build({ ...nix({ "flake.lock": "2" }) })], OPEN, "packages (`nix/flake.lock`)"],
    ["a bit of a file, which no part says", [build(nix({}))], OPEN, "guest's configuration"],
    ["anything else of the guest", [build({ ...nix({ modules: "2" }) })], OPEN, "guest's configuration"],
    [
      "a guest that reboots by itself",
      [build({ ...nix({ modules: "2" }) }, { ...FACTS, update: { reboot: "auto" } })],
      "another kernel takes a minute or two.",
      "guest's configuration",
    ],
    ["another port", [build({ FACTS: JSON.stringify({ ...FACTS, services: {} }) })], TOR, "facts about the stack"],
    [
      "another place of a secret",
      [build({ FACTS: JSON.stringify({ ...FACTS, secrets: {} }) })],
      "The service stays up.",
      "facts about the stack",
    ],
    [
      "a secret that tor does not read",
      [seal("token", { file: "token" }), build({ SEALED: UNKNOWN, FACTS: UNKNOWN })],
      "The service stays up.",
      "sealed secrets",
    ],
    [
      "a client's key",
      [seal("alice", { file: "alice" }), build({ SEALED: UNKNOWN, FACTS: UNKNOWN })],
      TOR,
      "sealed secrets",
    ],
    [
      "pages and the onion key at once",
      [seal("onion", { onion: {} }), build({ SEALED: UNKNOWN, ...nix({ site: "2" }) })],
      TOR,
      "pages (`nix/site/`), sealed secrets",
    ],
  ])("%s", (_, steps, service, why) => {
    const text = comment(...steps, machine("userData"));
    expect(text).toContain(service);
    expect(text).toMatch(/\*\*System:\*\* built, signed and taken in place, because of .*; if it does not serve, /);
    expect(text.split("\n").find((line) => line.startsWith("**System:**"))).toContain(why);
    expect(text).toContain("**Image:** unchanged: neither built nor uploaded.");
    expect(text).toContain("**VM:** keeps running, and takes the new system.");
  });

  it("does not hide that the machine is resized besides", () => {
    const text = comment(build({ ...nix({ site: "2" }) }), machine("userData", "hardwareProfile.vmSize"));
    expect(text).toContain("The service is away for about 2 to 4 minutes.");
  });

  it.each([
    ["in place", {}, { FACTS: "{}", NIX_DIGEST: "1", SEALED: "{}" }],
    ["other machines", { FACTS: "{}", NIX_DIGEST: "1", SEALED: "{}" }, {}],
  ])("says why there is another image where updates are %s from now on", (how, next, old) => {
    const type = `sealed-onion:index:NixosImage$${COMMAND}`;
    const changed = ["environment.FACTS", "environment.NIX_DIGEST", "environment.SEALED"];
    const text = comment(step("update", type, "image-build", { environment: old }, { environment: next }, changed));
    expect(text).toContain(`published again, because of updates, which are ${how} from now on.`);
  });

  it("says by what a disk that is given has made updates other machines, and what to set", () => {
    const type = `sealed-onion:index:NixosImage$${COMMAND}`;
    const given = { BUILDER: "vhd:disk.vhd", FACTS: "{}" };
    const changed = ["environment.BUILDER", "environment.FACTS"];
    const text = (old: object) =>
      comment(step("update", type, "image-build", { environment: old }, { environment: given }, changed));
    const why =
      "; updates are other machines from now on, the default with `image.vhd`: set `sealed-onion:update` to keep them in place.";
    expect(text({})).toContain(why);
    expect(text({ FACTS: "{}" })).not.toContain("from now on");
  });
});
