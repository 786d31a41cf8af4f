import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProjectFolder } from "../components/project-folder";
import { find, type Registration } from "../components/pulumi-mocks";
import { PUBLIC_KEY, projectWithSecrets, RELEASE, runProgram } from "./program-run";

let project: ProjectFolder;
beforeEach(() => {
  project = projectWithSecrets();
});
afterEach(() => project.remove());

const inPlace = async (change: Record<string, unknown> = {}) => (await runProgram(change)).registrations;
const machine = (registrations: readonly Registration[]) => find(registrations, "vm-machine").inputs;

describe("the program with updates in place", () => {
  it("asks the machine for the system by user data, and ends once it runs that", async () => {
    const registrations = await inPlace();
    const userData = Buffer.from(`${machine(registrations).userData}`, "base64").toString();
    expect(JSON.parse(userData)).toEqual({ version: 1, system: RELEASE, secrets: {} });
    const { RELEASE: awaited } = find(registrations, "vm-serving").inputs.environment as Record<string, string>;
    expect(JSON.parse(awaited ?? "")).toEqual(RELEASE);
    expect(find(registrations, "vm-machine").options.dependsOn).toContain("system-reader");
  });

  it("says in the facts where systems lie, what signs them, and how many stay", async () => {
    const { FACTS = "" } = find(await inPlace({ reboot: "auto" }), "system-build").inputs.environment as {
      FACTS?: string;
    };
    const { update } = JSON.parse(FACTS) as { update: object };
    const containerUrl = expect.stringMatching(/^https:\/\/sodev.*\/systems$/);
    expect(update).toEqual({ containerUrl, publicKey: PUBLIC_KEY, reboot: "auto", keep: 2 });
  });

  it("leaves image and machine as they are, whatever changes in the guest", async () => {
    const before = await inPlace();
    project.write("nix/host.nix", "{ changed = true; }\n");
    const after = await inPlace({ status: true });
    const inputs = (all: readonly Registration[]) =>
      ["image-build", "vm-machine"].map((name) => find(all, name).inputs);
    expect(inputs(after)).toEqual(inputs(before));
    const digest = (all: readonly Registration[]) =>
      (find(all, "system-build").inputs.environment as Record<string, string>).NIX_DIGEST;
    expect(digest(after)).not.toBe(digest(before));
  });

  it("is for a single machine", async () => {
    await expect(inPlace({ replicas: 2, update: "inPlace" })).rejects.toThrow("update inPlace is for a single machine");
  });
});

describe("the program without them", () => {
  it("has nothing of it", async () => {
    const { registrations } = await runProgram({ update: "replace" });
    expect(registrations.filter(({ name }) => name.startsWith("system"))).toEqual([]);
    expect(machine(registrations)).not.toHaveProperty("userData");
  });
});
