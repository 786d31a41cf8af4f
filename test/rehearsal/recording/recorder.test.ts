import { describe, expect, it } from "vitest";
import { isOpened } from "./recorder";

describe("what a recorder opens on its way to Azure", () => {
  it.each([
    ["kv-live.vault.azure.net", "linux", true],
    ["kv-live.vault.azure.net", "darwin", false], // Go there believes the system's own authorities alone
    ["kv-live.vault.azure.net", "win32", false],
    ["solive.blob.core.windows.net", "linux", true],
    ["solive.blob.core.windows.net", "darwin", true], // our programs ask it, and Node believes ours everywhere
    ["login.microsoftonline.com", "linux", false],
    ["management.azure.com", "linux", false],
    ["vault.azure.net.example.org", "linux", false],
  ] as const)("%s on %s: %s", (host, platform, expected) => {
    expect(isOpened(host, platform)).toBe(expected);
  });
});
