import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEntries } from "./entries";
import { partsOf } from "./parts";
import { type Json, Redaction } from "./redaction";

const bytes = (min: number, max = min) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((one) => Buffer.from(one));

/** Of each kind that must not be told: what it is and how it is written. */
const secrets = {
  token: fc.tuple(bytes(20, 60), bytes(60, 200), bytes(32)).map((parts) => {
    const [header = "", ...rest] = parts.map((part) => part.toString("base64url"));
    return [`eyJ${header}`, ...rest].join(".");
  }),
  "key in Base64": bytes(16, 64).map((key) => key.toString("base64")),
  "key in base64url": bytes(16, 64).map((key) => key.toString("base64url")),
  "key in hex": bytes(16, 32).map((key) => key.toString("hex")),
  guid: fc.uuid(),
  "id without hyphens": fc.uuid().map((id) => id.replaceAll("-", "")),
  address: fc.ipV4().filter((ip) => !/^(10\.0\.0\.|0\.0\.0\.0$)/.test(ip)),
  "IPv6 address": bytes(16).map((ip) => (ip.toString("hex").match(/.{4}/g) ?? []).join(":")),
};

/** Where such a thing can stand in what Azure is asked and answers. */
const places: Readonly<Record<string, (secret: string) => Json>> = {
  "a member": (secret) => ({ properties: { vaultUri: secret } }),
  "a list": (secret) => ({ ids: ["word", secret] }),
  "key material": (secret) => ({ value: secret, key: { n: secret } }),
  "a sentence": (secret) => ({ error: { code: "Forbidden", message: `Client '${secret}' may not: ${secret}. Ask.` } }),
  "a header": (secret) => ({ "www-authenticate": `Bearer authorization="https://h/${secret}", resource=${secret}` }),
  "a resource id": (secret) => ({ id: `/subscriptions/${secret}/resourceGroups/rg/providers/Microsoft.X/y/${secret}` }),
  "a map of ids": (secret) => ({ [`/subscriptions/${secret}/resourceGroups/rg`]: { clientId: secret } }),
  "an URL's host": (secret) => `https://${secret}.vault.azure.net/keys/seal`,
  "an URL's path": (secret) => `https://kv.vault.azure.net/keys/seal/${secret}/encrypt?api-version=7.4`,
  "an URL's query": (secret) => `https://a.blob.core.windows.net/c/b?sv=2024-08-04&sig=${secret}&skoid=${secret}`,
  "an encoded signature": (secret) => `https://a.blob.core.windows.net/c/b?sig=${encodeURIComponent(secret)}&comp=page`,
  "an URL in a sentence": (secret) => ({ message: `see https://a.blob.core.windows.net/c?sig=${secret} for it` }),
  "an SSH key": (secret) => ({ keyData: `ssh-ed25519 ${secret} somebody@somewhere` }),
};

describe("a recording", () => {
  it.each(Object.entries(secrets))("tells no %s, wherever it stands", (_kind, secret) => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...Object.entries(places)), (text, [, place]) => {
        const told = JSON.stringify(new Redaction().json(place(text)));
        expect(told).not.toContain(text);
        expect(told).not.toContain(encodeURIComponent(text));
      }),
      { numRuns: 400 },
    );
  });

  it("tells nothing at all that is not a word: the default is a placeholder", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 16, unit: "binary-ascii" }), (text) => {
        const left = partsOf(text).filter(({ kind }) => kind === "word");
        for (const { text: word } of left) expect(word.length).toBeLessThan(16);
      }),
    );
  });

  it("keeps what Azure says: words, types, versions, sizes, the program's own network", () => {
    const answer = {
      type: "Microsoft.ManagedIdentity/userAssignedIdentities",
      location: "germanywestcentral",
      sku: { name: "Standard_LRS" },
      vmSize: "Standard_B2s",
      addressPrefix: "10.0.0.0/29",
      roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
      error: { code: "ForbiddenByRbacAndThenSomeMore", message: "Caller is not authorized. Ask the owner." },
    };
    expect(new Redaction().json(answer)).toEqual(answer);
  });

  it("has one placeholder for one thing, of the kind that the thing is", () => {
    const redaction = new Redaction();
    const [id, key] = ["6f0c1d9e-0000-4444-8888-aaaaaaaaaaaa", randomBytes(32).toString("base64")];
    const told = redaction.json({ a: id, b: id.toUpperCase(), c: `/subscriptions/${id}`, d: key, e: "1.2.3.4/32" });
    expect(told).toEqual({
      a: "00000000-0000-4000-8000-000000000001",
      b: "00000000-0000-4000-8000-000000000001",
      c: "/subscriptions/00000000-0000-4000-8000-000000000001",
      d: "redacted0001",
      e: "198.51.100.1/32",
    });
    expect(new Redaction().json(told)).toEqual(told);
  });
});

it("a recording that is cut is said to be none, by its line", () => {
  const about = JSON.stringify({ kind: "about", subscriptionId: "s", tenantId: "t", objectId: "o" });
  expect(readEntries(`${about}\n`)).toHaveLength(1);
  expect(() => readEntries(`${about}\n{"kind":"ht`)).toThrow("line 2 of the recording is no entry: record it again");
});
