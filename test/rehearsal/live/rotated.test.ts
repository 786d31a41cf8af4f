import { describe, expect, it } from "vitest";
import type { Asker } from "../../../components/vm/status/azure-view";
import { inUse, untilInUse } from "./rotated";

const vm = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";
const userData = (token: string) =>
  Buffer.from(`{"version":1,"secrets":{"token":{"sops":{"b":2,"a":[1]},"data":"${token}"}}}`).toString("base64");

/** Azure with a machine of this user data, whose console shows these lines. */
function azureWith(content: string | undefined, lines: readonly string[]): () => Promise<Asker> {
  const ask: Asker["ask"] = async (url) => {
    const answers: [part: string, body: unknown, text: string][] = [
      ["$expand=userData", { properties: { userData: content } }, ""],
      ["$expand=instanceView", { properties: {} }, ""],
      ["/retrieveBootDiagnosticsData", { serialConsoleLogBlobUri: "https://logs" }, ""],
      ["https://logs", undefined, lines.join("\n")],
    ];
    const [, body, text] = answers.find(([part]) => url.includes(part)) ?? ["", undefined, ""];
    return { status: 200, body, text: text ?? "", header: () => undefined };
  };
  return async () => ({ resourceManager: "management.azure.com", token: "t", ask });
}

describe("a rotated secret that has reached a machine without an open port", () => {
  const said = (token: string) => `[9.1] refresh-secrets[9]: sealed-onion: ${inUse(userData(token))}`;

  it("is called by what is sealed, whatever the order of its members", () => {
    const other = Buffer.from('{"secrets":{"token":{"data":"one","sops":{"a":[1],"b":2}}},"system":{}}').toString(
      "base64",
    );
    expect(inUse(other)).toBe(inUse(userData("one")));
    expect(inUse(userData("two"))).not.toBe(inUse(userData("one")));
  });

  it("is seen on its console", async () => {
    await untilInUse(vm, azureWith(userData("two"), [said("one"), said("two")]), 0);
  });

  it("is not there yet where the console says it of the one before", async () => {
    const waiting = untilInUse(vm, azureWith(userData("two"), [said("one")]), -1);
    await expect(waiting).rejects.toThrow(`does not show '${inUse(userData("two"))}', but: `);
  });

  it("cannot be told where Azure gives no user data out", async () => {
    await expect(untilInUse(vm, azureWith(undefined, []), 0)).rejects.toThrow(
      "Azure does not say which user data the machine has (HTTP 200)",
    );
  });
});
