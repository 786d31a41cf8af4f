import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import type { Facts } from "../../../components/stack/facts";
import { readEvaluatedGuest } from "./evaluated";
import { manifestOf, movedBelow, unsealEnvironment } from "./manifest";

const stack = "nix/eval/stacks/example";
const facts: Facts = JSON.parse(fs.readFileSync(path.join(stack, "facts.json"), "utf8"));
const evaluated = readEvaluatedGuest();

describe("the rehearsal's guest", () => {
  it("reads the manifest that the modules render for the same stack", () => {
    const { secrets, ...settings } = manifestOf(facts, stack, evaluated);
    const { secrets: expected, ...expectedSettings } = evaluated.manifest;
    expect(settings).toEqual(expectedSettings);
    // Golden files name a sealed file without its folder.
    const named = secrets.map((secret) => ({ ...secret, sopsFile: path.relative(stack, secret.sopsFile) }));
    expect(named).toEqual(expected);
  });

  it("has the environment that the modules give the unit for the same stack", () => {
    expect(unsealEnvironment(facts, evaluated)).toEqual(evaluated.unseal.environment);
  });

  it("takes what is a stack's own from that stack", () => {
    const own: Facts = {
      ...facts,
      identity: { clientId: "99999999-2222-3333-4444-555555555555" },
      vault: { keyUrl: "https://own.vault.azure.net/keys/k/1" },
      services: {},
    };
    expect(unsealEnvironment(own, evaluated)).toMatchObject({
      AZURE_CLIENT_ID: "99999999-2222-3333-4444-555555555555",
      SEALED_ONION_KEY_URL: "https://own.vault.azure.net/keys/k/1",
    });
    const units = manifestOf(own, stack, evaluated).secrets.map(({ restartUnits }) => restartUnits);
    expect(units).toEqual([["app.service"], [], [], ["sshd.service"]]);
  });

  it("differs from it only in where files lie and in whose they are", () => {
    const manifest = manifestOf(facts, stack, evaluated);
    const moved = movedBelow("/vm", manifest);
    expect(moved).toEqual({
      ...manifest,
      secrets: manifest.secrets.map((secret) => ({ ...secret, path: `/vm${secret.path}`, owner: null, group: null })),
      secretsMountPoint: "/vm/run/secrets.d",
      symlinkPath: "/vm/run/secrets",
      ageSshKeyPaths: ["/vm/etc/ssh/ssh_host_ed25519_key"],
      userMode: true,
    });
  });
});
