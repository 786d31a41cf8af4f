import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedError } from "../../components/config/fields";
import { follows, type Rule } from "../../components/config/rules";
import { onionHostname } from "../../components/onion/hostname";
import { parseSecrets } from "../../components/secrets/secret";
import { parseServices } from "../../components/stack/services";
import shared from "../../nix/lib/rules.json";
import { nix, noNix } from "./nix-expression";

const RULES = Object.keys(shared.rules) as Rule[];
const HOSTNAMES: Readonly<Record<string, string>> = {
  "onion-a": onionHostname(Buffer.alloc(32, 1)),
  "onion-b": onionHostname(Buffer.alloc(32, 2)),
};

/** Nix's answer about a value that it reads from a file: no argument is long enough for thousands. */
async function nixOf<T>(value: unknown, expression: string): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "rules-"));
  try {
    const file = path.join(folder, "value.json");
    fs.writeFileSync(file, JSON.stringify(value));
    return (await nix(`let value = builtins.fromJSON (builtins.readFile ${file}); in ${expression}`)) as T;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Texts that a rule takes, those that nearly are, and any others. */
function near(rule: Rule): fc.Arbitrary<string> {
  const { pattern, longest } = shared.rules[rule];
  const taken = fc.stringMatching(new RegExp(`^(?:${pattern})$`));
  const odd = fc.constantFrom(
    "",
    ".",
    "..",
    "/",
    "-",
    "@",
    "0",
    "7",
    "a",
    "Z",
    " ",
    "\n",
    "\\",
    '"',
    "$",
    "é",
    ":",
    "]",
  );
  const changed = fc.tuple(taken, fc.nat(), fc.nat(2), odd).map(([text, at, cut, put]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + cut);
  });
  const long = taken.map((text) => text.repeat(1 + Math.ceil(longest / (text.length + 1))));
  const any = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
  return fc.oneof({ weight: 3, arbitrary: taken }, { weight: 5, arbitrary: changed }, long, any);
}

const seed = Date.now();

describe.skipIf(noNix)(`program and guest (skipped without nix-instantiate; seed ${seed})`, () => {
  it("take the same texts under every rule", async () => {
    const texts = Object.fromEntries(RULES.map((rule) => [rule, fc.sample(near(rule), { numRuns: 400, seed })]));
    const taken = await nixOf<Record<string, boolean[]>>(
      texts,
      "builtins.mapAttrs (rule: map (rules.follows rule)) value",
    );
    for (const rule of RULES) {
      const ours = texts[rule]?.map((text) => [text, follows(rule, text)]);
      expect(texts[rule]?.map((text, index) => [text, taken[rule]?.[index]])).toEqual(ours);
      expect(new Set(taken[rule])).toEqual(new Set([true, false]));
    }
  });

  it("take the same modes, and none that the mask of the unit which opens secrets would change", async () => {
    const modes = Array.from({ length: 0o10000 }, (_, bits) => bits.toString(8).padStart(4, "0"));
    const taken = await nixOf<string[]>(modes, 'builtins.filter (rules.follows "mode") value');
    expect(taken).toEqual(modes.filter((mode) => follows("mode", mode)));
    expect(taken).toContain("0440");
    expect(taken.filter((mode) => (Number.parseInt(mode, 8) & 0o022) !== 0)).toEqual([]);
  });

  it("take the same declarations, and what is taken comes out as it was declared", async () => {
    const stacks = fc.sample(declarations, { numRuns: 600, seed });
    const answers = await nixOf<{ success: boolean; value: unknown }[]>(
      stacks.map(rawFacts),
      `map (facts: builtins.tryEval (let
        parsed = parseFacts "facts.json" facts;
        places = map (name: { option = name; inherit name; inherit (parsed.secrets.\${name}) path; })
          (builtins.attrNames parsed.secrets);
        problems = placeProblems places ++ serviceProblems { inherit (parsed) services; listeners = [ rules.vaultAgentListener ]; };
        come = { inherit (parsed) secrets services; };
      in builtins.deepSeq come (if problems == [ ] then come else throw (builtins.head problems)))) value`,
    );
    const ours = stacks.map(accepted);
    expect(answers.map(({ success, value }) => (success ? value : undefined))).toEqual(ours);
    const share = ours.filter((one) => one !== undefined).length / ours.length;
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.9);
  });
});

type Declarations = typeof declarations extends fc.Arbitrary<infer T> ? T : never;
const mostly = (good: fc.Arbitrary<string>, ...bad: string[]) =>
  fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: fc.constantFrom(...bad) });
const target = mostly(
  fc.constantFrom("site", "127.0.0.1:80", "[::1]:9000", "unix:/run/app/socket"),
  ...["127.0.0.1:8440", "127.0.0.1:8441", "127.0.0.1:8100", "10.0.0.1:80", "127.0.0.1:0", "unix:run", "unix:/run/a b"],
);
const declarations = fc.record({
  secrets: fc.dictionary(
    mostly(fc.constantFrom("token", "a", "x-1"), "a/b", "a--b", "A", "-a", "a".repeat(41)),
    fc.record({
      path: mostly(
        fc.constantFrom("/run/app/a", "/run/app/b", "/run/secrets/token", "/run/app.d/.x"),
        ...[
          "/run/app/a/b",
          "/run/tor/x",
          "/run/secrets/onion-a",
          "/token",
          "/run/../x",
          "/run/a b",
          "/run/secrets.d/1",
        ],
      ),
      owner: mostly(fc.constantFrom("root", "app", "_x"), "0x", "a b"),
      group: mostly(fc.constantFrom("root", "app"), "App", ""),
      mode: mostly(fc.constantFrom("0400", "0440", "0500", "0444"), "0660", "0040", "4400", "0401", "400"),
      restart: fc.array(mostly(fc.constantFrom("app.service", "app@1.service"), "app.timer", "app", "../a.service"), {
        maxLength: 2,
      }),
    }),
    { maxKeys: 3 },
  ),
  services: fc.dictionary(
    mostly(fc.constantFrom("web", "mail"), "a/b", "Web"),
    fc.record({
      key: fc.constantFrom("onion-a", "onion-b"),
      ports: fc.dictionary(mostly(fc.constantFrom("80", "22", "443", "65535"), "0", "65536", "080", "http"), target, {
        maxKeys: 2,
      }),
      ssh: fc.boolean(),
    }),
    { minKeys: 1, maxKeys: 2 },
  ),
});

/** What the guest would be given if the program checked nothing. */
function rawFacts({ secrets, services }: Declarations): unknown {
  const onion = (name: string) => ({ ...shared.defaults.secret, path: `/run/secrets/${name}` });
  const all = { ...secrets, "onion-a": onion("onion-a"), "onion-b": onion("onion-b") };
  return {
    version: 1,
    stack: "dev",
    vault: { keyUrl: "https://v.vault.azure.net/keys/k/0" },
    identity: { clientId: "11111111-2222-3333-4444-555555555555" },
    secrets: mapValues(all, (secret) => ({ ...secret, sealedFile: "x.sops.json" })),
    services: mapValues(services, ({ key, ...service }) => ({
      ...service,
      secret: key,
      hostname: HOSTNAMES[key],
      clientAuthorization: [],
    })),
  };
}

/** What the program makes of the declarations, in the form of the facts; undefined where it refuses them. */
function accepted({ secrets, services }: Declarations): unknown {
  try {
    const declared = parseSecrets({
      ...mapValues(secrets, (secret) => ({
        ...secret,
        source: { file: "x" },
        worldReadable: !secret.mode.endsWith("0"),
      })),
      "onion-a": { source: { onion: {} } },
      "onion-b": { source: { onion: {} } },
    });
    const parsed = parseServices({ path: "services", value: services }, declared);
    return {
      secrets: Object.fromEntries(
        declared.map(({ name, path, owner, group, mode, restart }) => [
          name,
          { path, owner, group, mode, restart, sealedFile: "x.sops.json" },
        ]),
      ),
      services: Object.fromEntries(
        parsed.map(({ name, key, ...service }) => [name, { ...service, secret: key, hostname: HOSTNAMES[key] }]),
      ),
    };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return undefined;
  }
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
