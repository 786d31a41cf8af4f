# The image itself boots by UEFI, finds no Azure, and says so on its console. Its disk is what Azure takes.
{
  exampleMachine,
  hostPkgs,
  lib,
  ...
}:
let
  # QEMU has neither Hyper-V's disk nor its network card; all else is the example's image.
  image =
    (exampleMachine.extendModules {
      modules = [
        {
          boot.initrd.availableKernelModules = [
            "virtio_pci"
            "virtio_blk"
            "virtio_net"
          ];
          systemd.network.networks."50-azure".matchConfig.Driver = lib.mkForce "virtio_net";
        }
      ];
    }).config.system.build.azureImage;
in
{
  name = "azure-image";
  nodes = { };

  testScript = ''
    import os
    import pathlib
    import shutil
    import subprocess

    (vhd,) = pathlib.Path("${image}").glob("*.vhd")

    with subtest("the disk ends in a VHD footer and has a size of whole MiB"):
        assert (vhd.stat().st_size - 512) % (1024 * 1024) == 0, vhd.stat().st_size
        with vhd.open("rb") as disk:
            disk.seek(-512, os.SEEK_END)
            assert disk.read(8) == b"conectix"

    with subtest("it boots and tells on the console what it waits for"):
        disk_image = pathlib.Path("image.vhd").resolve()
        shutil.copyfile(vhd, disk_image)
        os.chmod(disk_image, 0o600)
        # A bigger disk than the image's, as in Azure: the root has to grow.
        subprocess.run(["${hostPkgs.qemu_test}/bin/qemu-img", "convert", "-f", "vpc", "-O", "qcow2", str(disk_image), "disk.qcow2"], check=True)
        subprocess.run(["${hostPkgs.qemu_test}/bin/qemu-img", "resize", "disk.qcow2", "8G"], check=True)
        machine = create_machine(
            "${hostPkgs.qemu_test}/bin/qemu-kvm -m 2048 -bios ${hostPkgs.OVMF.fd}/FV/OVMF.fd"
            + f" -drive file={pathlib.Path('disk.qcow2').resolve()},if=virtio"
            + " -nic user,model=virtio,restrict=on"
        )
        machine.start()
        machine.wait_for_console_text("sealed-onion: the secrets are still sealed: the metadata service at 169.254.169.254")
  '';
}
