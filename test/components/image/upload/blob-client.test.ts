import { RestError } from "@azure/storage-blob";
import { describe, expect, it, vi } from "vitest";
import { firstContact } from "../../../../components/image/upload/blob-client";
import { problemOf } from "../../../../components/image/upload/storage-problem";

const byRole = { url: "https://account.blob.core.windows.net/images/dev.vhd" };
const bySas = { url: `${byRole.url}?sv=1&sig=secret` };
const refusal = (code: string) => problemOf("create 'images/dev.vhd'", new RestError("no", { code, statusCode: 403 }));

/** Contacts an account that refuses so many times. */
async function contact(client: { url: string }, code: string, refusals: number, signal = new AbortController().signal) {
  const lines: string[] = [];
  let left = refusals;
  const request = () => (left-- > 0 ? Promise.reject(refusal(code)) : Promise.resolve("an answer"));
  const result = await firstContact(client, request, signal, (line) => lines.push(line)).catch(
    (error: Error) => error.message,
  );
  return { result, lines };
}

describe("the first contact with an account", () => {
  it("waits for a new role, and says so once", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const { lines, result } = await contact(byRole, "AuthorizationPermissionMismatch", 1);
      expect(result).toBe("an answer");
      expect(lines).toEqual([
        "cannot create 'images/dev.vhd': AuthorizationPermissionMismatch, HTTP 403: you need the role Storage Blob Data " +
          "Contributor on the account; new roles take up to minutes, waiting",
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("can be interrupted while it waits", async () => {
    const signal = AbortSignal.timeout(20);
    const { result } = await contact(byRole, "AuthorizationPermissionMismatch", 9, signal);
    expect(result).toBe(signal.reason.message);
  });

  it.each([
    [bySas, "AuthorizationPermissionMismatch", "the SAS has no right to it: make one for the container"],
    [byRole, "AuthorizationFailure", "the storage account's firewall refuses this machine's address: add it"],
    [byRole, "ContainerNotFound", "the container is not there: `pulumi up --refresh` makes it"],
    [bySas, "AuthorizationServiceMismatch", "the SAS is for another address, protocol or service: make one"],
  ])("is told at once of what waiting does not change: %o %s", async (client, code, reason) => {
    const { lines, result } = await contact(client, code, 1);
    expect(lines).toEqual([]);
    expect(result).toContain(`cannot create 'images/dev.vhd': `);
    expect(result).toContain(reason);
    expect(result).not.toContain("sig");
  });
});
