# The image itself boots by UEFI, finds no Azure, and says so on its console. Its disk is what Azure takes.
{
  exampleMachine,
  hostPkgs,
  lib,
  ...
}:
let
  gibibyte = 1024 * 1024 * 1024;
  # QEMU has neither Hyper-V's disk nor its network card; all else is the example's image.
  image =
    (exampleMachine.extendModules {
      modules = [
        (
          { pkgs, ... }:
          {
            boot.initrd.availableKernelModules = [
              "virtio_pci"
              "virtio_blk"
              "virtio_net"
            ];
            systemd.network.networks."50-azure".matchConfig.Driver = lib.mkForce "virtio_net";
            sealed-onion.vaultAgent.package = pkgs.vault-bin; # as released: to build one takes long, and no cache has it

            # Nobody can log in to it, not even a test: it has to say by itself how it is.
            systemd.services.tell-state = {
              wantedBy = [ "multi-user.target" ];
              path = [ pkgs.coreutils ];
              script = ''
                until [ "$(df --block-size=1 --output=size / | tail -n 1)" -gt ${toString (6 * gibibyte)} ]; do sleep 1; done
                while IFS=: read -r user password _ && [ "$user" != root ]; do :; done </etc/shadow
                while sleep 5; do # until somebody looks
                  echo "<2>sealed-onion-test: the file system has grown, and for root there is $user:$password"
                done
              '';
            };
          }
        )
      ];
    }).config.system.build.azureImage;
in
{
  name = "azure-image";
  nodes = { };

  testScript = ''
    import os
    import pathlib
    import subprocess

    (vhd,) = pathlib.Path("${image}").glob("*.vhd")

    with subtest("the disk ends in a VHD footer and has a size of whole MiB"):
        assert (vhd.stat().st_size - 512) % (1024 * 1024) == 0, vhd.stat().st_size
        with vhd.open("rb") as disk:
            disk.seek(-512, os.SEEK_END)
            assert disk.read(8) == b"conectix"

    # A bigger disk than the image's, as in Azure.
    bigger = pathlib.Path("disk.qcow2").resolve()
    qemu_img = "${hostPkgs.qemu_test}/bin/qemu-img"
    subprocess.run([qemu_img, "convert", "-f", "vpc", "-O", "qcow2", str(vhd), str(bigger)], check=True)
    subprocess.run([qemu_img, "resize", str(bigger), "8G"], check=True)

    machine = create_machine(
        "${hostPkgs.qemu_test}/bin/qemu-kvm -cpu max -m 2048 -bios ${hostPkgs.OVMF.fd}/FV/OVMF.fd"
        + f" -drive file={bigger},if=virtio,format=qcow2"
        + " -nic user,model=virtio,restrict=on"
    )
    try:
        machine.start()

        # Told once: it is looked for first, and what comes before it is passed over.
        with subtest("it boots, and tells on the console what it waits for"):
            machine.wait_for_console_text(
                "sealed-onion: the secrets are still sealed: the metadata service at 169.254.169.254", timeout=900
            )

        with subtest("its file system grows to the disk it is put on, and root is locked"):
            machine.wait_for_console_text("sealed-onion-test: .* has grown, and for root there is root:[!*]", timeout=900)
    finally:
        # The driver ends the machines that it made itself, and waits for this one's console as long as it runs.
        machine.crash()
  '';
}
