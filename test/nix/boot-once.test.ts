import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runGuestScript } from "./guest-script";

/** As NixOS's install-grub.pl writes it, a system with specialisations among others. */
const MENU = `function savedefault {
    if [ -z "\${boot_once}"]; then
    saved_entry="\${chosen}"
    fi
}
menuentry "NixOS" --class nixos --unrestricted {
search --set=drive1 --fs-uuid 1234-ABCD
  linux ($drive1)//kernels/a-bzImage init=/nix/store/new-system/init loglevel=4
}

submenu "NixOS - All configurations" --class submenu {
submenu "NixOS - Configuration 9 (2026-02-02 - 26.05)" --class submenu {
menuentry "NixOS - Configuration 9 - Default (2026-02-02 - 26.05)" --class nixos {
  linux ($drive1)//kernels/b-bzImage init=/nix/store/special-system/init loglevel=4
}

}
menuentry "NixOS - Configuration 8 (2026-02-01 - 26.05)" --class nixos {
  linux ($drive1)//kernels/c-bzImage init=/nix/store/old-system-2/init loglevel=4
}

menuentry "NixOS - Configuration 7 (2026-01-01 - 26.05)" --class nixos {
  linux ($drive1)//kernels/c-bzImage init=/nix/store/old-system/init
}

}
`;

describe("boot-once", () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "grub-"));
    fs.mkdirSync(path.join(root, "boot/grub"), { recursive: true });
    fs.writeFileSync(path.join(root, "boot/grub/grub.cfg"), MENU);
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  const run = (...words: string[]) =>
    runGuestScript("boot-once", words, { SEALED_ONION_ROOT: root, SEALED_ONION_GRUB: "/boot/grub" });
  const block = () => fs.readFileSync(path.join(root, "boot/grub/grubenv"), "utf8");

  it.each([
    ["new-system", "NixOS"],
    ["old-system", "NixOS - All configurations>NixOS - Configuration 7 (2026-01-01 - 26.05)"],
    [
      "special-system",
      "NixOS - All configurations>NixOS - Configuration 9 (2026-02-02 - 26.05)>NixOS - Configuration 9 - Default (2026-02-02 - 26.05)",
    ],
  ])("names the menu entry of %s in a block of 1024 bytes", async (system, entry) => {
    expect(await run(`/nix/store/${system}`)).toMatchObject({ code: 0, stderr: "" });
    expect(block()).toMatch(/^# GRUB Environment Block\nnext_entry=.*\n#+$/);
    expect(/^next_entry=(.*)$/m.exec(block())?.[1]).toBe(entry);
    expect(Buffer.byteLength(block())).toBe(1024);
  });

  it("takes it back", async () => {
    await run("/nix/store/old-system");
    expect(await run()).toMatchObject({ code: 0 });
    expect(block()).toMatch(/^# GRUB Environment Block\n#+$/);
    expect(Buffer.byteLength(block())).toBe(1024);
  });

  it("fails where the menu does not have the system, and changes nothing", async () => {
    await run("/nix/store/old-system");
    const before = block();
    const { code, stderr } = await run("/nix/store/no-system");
    expect([code, stderr]).toEqual([1, `boot-once: ${root}/boot/grub/grub.cfg has no /nix/store/no-system\n`]);
    expect(block()).toBe(before);
  });
});
