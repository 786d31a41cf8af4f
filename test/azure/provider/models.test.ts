import * as fs from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { membersOf, pathInputs } from "./kind-check";
import { kinds } from "./kinds";
import { memberFailures } from "./model-check";
import { fromWire, toWire } from "./model-convert";
import { type Members, members } from "./models";

const load = createRequire(__filename);

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** The inputs that azure-native's SDK passes on, from its source. */
function sdkInputs(token: string): string[] {
  const [, module = "", type = ""] = token.split(":");
  const file = { PublicIPAddress: "publicIPAddress" }[type] ?? lowerFirst(type);
  const source = fs.readFileSync(load.resolve(`@pulumi/azure-native/${module}/${file}`), "utf8");
  return [...source.matchAll(/resourceInputs\["(\w+)"\] = [^;]*\bargs\b/g)].map(([, name = ""]) => name);
}

/** Inputs that no stack of ours has, and that are refused. */
const FOREIGN: Record<string, string[]> = {
  "azure-native:resources:ResourceGroup": ["managedBy"],
  // Both spell them in their own way.
  "azure-native:compute:Disk": ["diskIOPSReadOnly", "diskIOPSReadWrite"],
  // Their models are of a package that nothing else needs: what is used of them is written down in kinds/monitor.ts.
  "azure-native:monitor:DiagnosticSetting": [
    ...["eventHubAuthorizationRuleId", "eventHubName", "logAnalyticsDestinationType", "marketplacePartnerId"],
    ...["metrics", "serviceBusRuleId", "storageAccountId"],
  ],
  "azure-native:operationalinsights:Workspace": [
    ...["defaultDataCollectionRuleResourceId", "features", "forceCmkForQuery", "identity", "retentionInDays", "sku"],
    ...["publicNetworkAccessForIngestion", "publicNetworkAccessForQuery", "tags", "workspaceCapping"],
  ],
};

describe("Microsoft's models beside azure-native's SDK", () => {
  it.each(kinds.map((kind) => [kind.token, kind] as const))("%s takes what the SDK passes on", (token, kind) => {
    const known = [...pathInputs(kind), ...Object.keys(membersOf(kind, "request")), ...(FOREIGN[token] ?? [])];
    expect(sdkInputs(token).filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(kinds.map((kind) => [kind.token, kind] as const))(
    "%s: every rule is about something that exists",
    (_, kind) => {
      const request = membersOf(kind, "request");
      const paths = [
        ...(kind.required ?? []),
        ...(kind.replaceOn ?? []),
        ...Object.keys(kind.allowed ?? {}),
        ...(kind.references ?? []).map((reference) => reference.path),
        ...(kind.immutable ?? []).map((immutable) => immutable.path),
        ...(kind.ownedElsewhere ?? []),
      ];
      const missing = paths.filter(
        (one) => !pathInputs(kind).includes(one) && !exists(one.split("."), request, kind.models),
      );
      expect(missing).toEqual([]);
      expect(kind.names.map(({ input }) => input).filter((input) => !pathInputs(kind).includes(input))).toEqual([]);
    },
  );

  it("says which type a package does not have", () => {
    expect(() => members("msi", "Nothing")).toThrow("@azure/arm-msi has no type Nothing");
  });
});

function exists([first = "", ...rest]: string[], known: Members, models: Parameters<typeof members>[0]): boolean {
  const mapper = known[first.replace("[]", "")];
  if (mapper === undefined || rest.length === 0) return mapper !== undefined;
  const type = mapper.type.name === "Sequence" ? mapper.type.element.type : mapper.type;
  return type.name === "Composite" ? exists(rest, members(models, type.className), models) : type.name === "Dictionary";
}

describe("a request by the models", () => {
  const tagged: Members = {
    short: { type: { name: "String" }, constraints: { MinLength: 2, MaxLength: 3, Pattern: "^a" } },
    number: { type: { name: "Number" }, constraints: { InclusiveMinimum: 1, InclusiveMaximum: 5 } },
    list: {
      type: { name: "Sequence", element: { type: { name: "Boolean" } } },
      constraints: { MinItems: 1, MaxItems: 2 },
    },
    kind: { type: { name: "Enum", allowedValues: ["A", "B"] } },
    map: { type: { name: "Dictionary", value: { type: { name: "String" } } } },
  };

  it.each([
    [{ short: "a" }, "'short' is too short (1): at least 2 characters required"],
    [{ short: "abcd" }, "'short' is too long (4): at most 3 characters allowed"],
    [{ short: "bcd" }, "'short' does not match expression '^a'"],
    [{ number: 0 }, "'number' is too low (0 < 1)"],
    [{ number: 6 }, "'number' is too high (6 > 5)"],
    [{ number: "1" }, "'number' should be of type 'number' but got string"],
    [{ list: [] }, "'list' has too few items (0): at least 1 required"],
    [{ list: [true, true, true] }, "'list' has too many items (3): at most 2 allowed"],
    [{ list: [true, "no"] }, "'list[1]' should be of type 'boolean' but got string"],
    [{ list: "no" }, "'list' should be of type 'array' but got string"],
    [{ kind: "C" }, `'kind' must be one of A, B, got "C"`],
    [{ map: { a: 1 } }, "'map.a' should be of type 'string' but got number"],
  ])("%j is refused", (values, reason) => {
    expect(memberFailures(values, tagged, "", "msi").map((failure) => failure.reason)).toEqual([reason]);
  });

  it("goes out nested, and comes back flat", () => {
    const known = members("storage", "StorageAccountCreateParameters");
    const values = { kind: "StorageV2", networkRuleSet: { defaultAction: "Deny" }, minimumTlsVersion: "TLS1_2" };
    const wire = toWire(values, known, "storage");
    expect(wire).toEqual({
      kind: "StorageV2",
      properties: { networkAcls: { defaultAction: "Deny" }, minimumTlsVersion: "TLS1_2" },
    });
    expect(fromWire(wire, known, "storage")).toEqual(values);
  });
});
