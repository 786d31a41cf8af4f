import { type Existing, hasOwnEndpoints } from "../azure/existing/existing";
import { malformed, NAMESPACE } from "../config/fields";
import type { ImageSettings } from "../image/image-settings";
import type { VaultSettings } from "../vault/vault";
import type { MachineSettings } from "../vm/machine";

interface Settings {
  readonly existing: Existing;
  /** Where there are several machines. */
  readonly fleet: object | undefined;
  readonly image: Pick<ImageSettings, "publish">;
  readonly grants: object | undefined;
  readonly network: { readonly privateEndpoints: boolean } | undefined;
  readonly vaultAuth: object | undefined;
  readonly machine: Pick<MachineSettings, "outbound">;
  readonly vault: Pick<VaultSettings, "authorization">;
}

/**
 * What exists is never changed: a vault's policies are a part of the vault, a subnet's gateway a part of the subnet.
 * @throws MalformedError
 */
export function checkExistingFits(config: Settings): void {
  const { existing, fleet, image, machine, network, vault } = config;
  const alone = (["vault", "identity", "subnet", "vaultZone", "blobZone"] as const).find(
    (kind) => existing[kind] !== undefined,
  );
  if (fleet !== undefined && alone !== undefined) {
    const problem = `existing.${alone} is for one machine, and replicas asks for several`;
    throw malformed(problem, `remove ${NAMESPACE}:existing.${alone}, or ${NAMESPACE}:replicas`);
  }
  if (existing.vault !== undefined && vault.authorization !== "rbac") {
    const problem = "authorization must be rbac for existing.vault, whose access policies are a part of it";
    throw malformed(`${problem}, got "${vault.authorization}"`, `set ${NAMESPACE}:authorization to rbac`);
  }
  checkGrantsFit(config);
  checkZonesFit(config);
  if (network !== undefined && !hasOwnEndpoints(existing)) {
    const problem =
      "network is about a vault and an account of the stack's own, and existing.vault and existing.storageAccount have rules of their own";
    throw malformed(problem, `remove ${NAMESPACE}:network`);
  }
  if (existing.gallery !== undefined && image.publish !== "gallery") {
    const problem = `image.publish must be gallery for existing.gallery, got "${image.publish}"`;
    throw malformed(problem, `set ${NAMESPACE}:image.publish to gallery`);
  }
  if (existing.subnet !== undefined && machine.outbound !== "subnet") {
    const problem = `outbound must be subnet for existing.subnet, which has a way out of its own, got "${machine.outbound}"`;
    throw malformed(problem, `set ${NAMESPACE}:outbound to subnet`);
  }
  if (existing.subnet === undefined && machine.outbound === "subnet") {
    const problem = "outbound is subnet, and existing.subnet names none";
    throw malformed(problem, `set ${NAMESPACE}:existing.subnet to the id of a subnet with a way out`);
  }
}

/** A zone that somebody else has linked to a network of theirs is of use there alone, and for private endpoints. */
function checkZonesFit({ existing, network }: Settings): void {
  const kind = (["vaultZone", "blobZone"] as const).find((zone) => existing[zone] !== undefined);
  if (kind === undefined) return;
  if (!network?.privateEndpoints) {
    const problem = `existing.${kind} is for private endpoints, and network.privateEndpoints is not true`;
    throw malformed(problem, `set ${NAMESPACE}:network.privateEndpoints to true`);
  }
  if (existing.subnet === undefined) {
    const problem = `existing.${kind} is asked by networks that it is linked to, and the stack's own is none of them`;
    throw malformed(problem, `set ${NAMESPACE}:existing.subnet to a subnet of such a network`);
  }
}

/** Rights can be given before the stack is there to those alone who are there before it. */
function checkGrantsFit({ existing, fleet, grants, vaultAuth }: Settings): void {
  if (grants === undefined) return;
  if (existing.identity === undefined) {
    const problem = "grants names what was granted before, and the machine's identity is yet to be made";
    throw malformed(problem, `set ${NAMESPACE}:existing.identity`);
  }
  const more = fleet === undefined ? vaultAuth && "vaultAuth" : "replicas";
  if (more !== undefined) {
    const problem = `grants is set, and ${more} asks for roles that are made with the stack`;
    throw malformed(problem, `remove ${NAMESPACE}:grants, or ${NAMESPACE}:${more}`);
  }
}
