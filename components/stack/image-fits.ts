import { MalformedError, NAMESPACE } from "../config/fields";
import type { ImageSettings } from "../image/image-settings";
import { imageMachine, type MachineSettings } from "../vm/machine";

/**
 * A managed image says nothing of processors, NVMe and Trusted Launch, so Azure boots none of these from it.
 * Source: https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries
 * @throws MalformedError
 */
export function checkImageFits({ publish }: ImageSettings, machine: MachineSettings): void {
  if (publish === "gallery") return;
  const { architecture, nvme, trustedLaunch } = imageMachine(machine);
  const reasons = [
    ...(architecture === "Arm64" ? [`vmSize ${machine.vmSize}, which has an Arm processor`] : []),
    ...(nvme ? [`vmSize ${machine.vmSize}, whose disks are by NVMe`] : []),
    ...(trustedLaunch ? ["security.trustedLaunch"] : []),
  ];
  const remedy = `set ${NAMESPACE}:image.publish to gallery`;
  const lines = reasons.map((reason) => `image.publish must be gallery for ${reason}, got "${publish}": ${remedy}`);
  if (lines.length > 0) throw new MalformedError(lines);
}
