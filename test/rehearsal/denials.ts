import * as fs from "node:fs";
import type { LoopbackAzure } from "loopback-azure/azure";
import { identityOf, withdrawPolicy } from "./access-policy";
import type { Cleanup } from "./cleanup";
import { makeMemoryFolder } from "./guest/memory-folder";
import { type UnsealOptions, unseal, unsealingProgram, unsealOnce } from "./guest/unseal";
import type { Vm } from "./guest/vm";
import type { Steps } from "./steps";

/** How long a policy takes to come into effect here, milliseconds: the VM retries meanwhile. */
const POLICY_DELAY_MS = 1_000;

/**
 * Before its policy is there the VM is refused; it retries, and opens its secrets once the policy is in effect. Then a
 * revoked policy and another VM's identity are refused.
 * @returns the opened secrets' paths on the VM, by name
 */
export async function refuseThenOpen(steps: Steps, azure: LoopbackAzure, vm: Vm, cleanup: Cleanup) {
  const { vault } = vm.facts;
  const withdraw = () => withdrawPolicy(azure, vault.keyUrl, identityOf(azure, vm.machine.vmId));
  const opened = await steps.run(
    "refused before the VM's policy is there, then open",
    async () => {
      const restore = withdraw();
      steps.say(await mustRefuse("before the policy was there", vm.unsealing));
      setTimeout(restore, POLICY_DELAY_MS);
      return unseal(vm.unsealing, 20_000);
    },
    ({ size }) => `${size} secrets opened by ${unsealingProgram()}`,
  );
  await steps.run("refused after the policy is revoked", async () => {
    const restore = withdraw();
    steps.say(await mustRefuse("although the policy was revoked", { ...vm.unsealing, root: emptyRoot(cleanup) }));
    restore();
  });
  await steps.run("refused to another VM's identity", async () => {
    const neighbour = addNeighbour(azure);
    const machine = await azure.bootMachine(neighbour.vmId);
    const environment = { ...vm.unsealing.environment, ...machine.env, AZURE_CLIENT_ID: neighbour.clientId };
    steps.say(await mustRefuse("to another VM", { ...vm.unsealing, environment, root: emptyRoot(cleanup) }));
    await machine.close();
  });
  return opened;
}

function emptyRoot(cleanup: Cleanup): string {
  const { path: root } = makeMemoryFolder();
  cleanup.add(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

/**
 * Adds a VM with an identity of its own to the cloud: a neighbour in the same tenant, with no right on our vault.
 * @returns its resource id and its identity's client id
 */
function addNeighbour(azure: LoopbackAzure): { vmId: string; clientId: string } {
  const { cloud } = azure;
  const group = `/subscriptions/${cloud.subscriptionId}/resourceGroups/neighbour`;
  const location = "westeurope";
  const identityId = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/neighbour`;
  const principalId = "00000000-0000-4000-8000-00000000beef";
  const clientId = "00000000-0000-4000-8000-00000000cafe";
  const { tenantId } = cloud;
  cloud.put({ id: group, type: "Microsoft.Resources/resourceGroups", name: "neighbour", location, properties: {} });
  cloud.put({
    id: identityId,
    type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    name: "neighbour",
    location,
    properties: { principalId, clientId, tenantId },
  });
  const vmId = `${group}/providers/Microsoft.Compute/virtualMachines/neighbour`;
  cloud.put({
    id: vmId,
    type: "Microsoft.Compute/virtualMachines",
    name: "neighbour",
    location,
    identity: { type: "UserAssigned", userAssignedIdentities: { [identityId]: { principalId, clientId } } },
    properties: { hardwareProfile: { vmSize: "Standard_B2s" }, osProfile: { computerName: "neighbour" } },
  });
  return { vmId, clientId };
}

/** One try that Key Vault must refuse with 403, which the VM's console must show. */
async function mustRefuse(situation: string, options: UnsealOptions): Promise<string> {
  const result = await unsealOnce(options);
  if ("opened" in result) throw new Error(`the secrets were opened ${situation}`);
  if (!result.refused.includes("403")) throw new Error(`${situation} the VM shows no 403, but: ${result.refused}`);
  return `as expected, its console: ${result.refused}`;
}
