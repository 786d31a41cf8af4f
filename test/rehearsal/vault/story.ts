import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoopbackAzure } from "loopback-azure/azure";
import type { Machine } from "loopback-azure/machine/machine";
import type { Cleanup } from "../cleanup";
import type { Steps } from "../steps";
import { startAgent, type VaultAgent } from "./agent";
import { azureSeenBy } from "./azure-view";
import { checkLogin } from "./login-rules";
import { acceptThenRefuse, type Judge, loginMachine, RESOURCE, wrongRoles } from "./refusals";
import { findVault, startVault, type VaultProgram, type VaultServer } from "./server";
import { addVaultNode } from "./vault-node";

/** Of a token, in seconds; short, so that its renewal and its end are seen in this run. */
const TTL = 8;
const MAX_TTL = 24;

export interface VaultStage {
  azure: LoopbackAzure;
  /** The VM that logs in. */
  machine: Machine;
  /** Of the server. */
  folder: string;
  /** On the VM's memory file system. */
  memory: string;
  steps: Pick<Steps, "run">;
  cleanup: Pick<Cleanup, "add">;
}

/**
 * The login at a Vault with the VM's identity: by a real Vault or OpenBao and the agent as the guest configures it where
 * one is on PATH, by the rules that we know it by where there is none.
 * @returns what could not be done, and why
 */
export async function rehearseVault(stage: VaultStage, program = findVault()): Promise<string[]> {
  const node = await stage.azure.bootMachine(addVaultNode(stage.azure));
  stage.cleanup.add(() => node.close());
  if (!("missing" in program)) {
    await loginForReal(program, node, stage);
    return [];
  }
  await stage.steps.run(
    "Vault's login rules, over the VM's token",
    () => loginByTheRules(node, stage),
    (refused) => `accepted; refused: ${refused.join(", ")}`,
  );
  return [`skipped: Vault's server and agent, a secret read through it, renewal: ${program.missing}`];
}

async function loginByTheRules(node: Machine, { azure, machine }: VaultStage): Promise<string[]> {
  const seen = await azureSeenBy(node.env, azure.cloud.tenantId);
  const { subscriptionId, resourceGroup, name, principal } = loginMachine(azure, machine);
  const own = {
    servicePrincipals: [principal.objectId],
    subscriptions: [subscriptionId],
    resourceGroups: [resourceGroup],
  };
  const judge: Judge = async (role, jwt) => {
    const bound = role === "web" ? {} : wrongRoles[role];
    const rules = { resource: RESOURCE, locations: [], ...own, ...bound };
    const login = { jwt, subscriptionId, resourceGroup, vmName: name };
    const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));
    return checkLogin(login, rules, seen).then(() => undefined, reason);
  };
  return acceptThenRefuse(azure, machine, judge);
}

async function loginForReal(program: VaultProgram, node: Machine, stage: VaultStage): Promise<void> {
  const { azure, machine, folder, memory, steps, cleanup } = stage;
  const password = randomBytes(18).toString("hex");
  const server = await steps.run(`${program.flavour}: server with the azure auth method`, async () => {
    const started = await startVault(program, node.env, folder);
    cleanup.add(() => started.close());
    await configure(started, program, stage, password);
    await refusesPolicies(started);
    return started;
  });
  const agent = await steps.run(`${program.flavour}: the agent logs in, renders, serves`, async () => {
    const { clientId } = loginMachine(azure, machine).principal;
    const place = path.join(memory, "vault-agent");
    const started = await startAgent(program, { server, machine: machine.env, clientId, role: "web", folder: place });
    cleanup.add(() => started.close());
    await agentServes(started, password);
    return started;
  });
  await steps.run(`${program.flavour}: the agent renews, and logs in again at the end`, () => agentStays(agent));
  await steps.run(
    `${program.flavour}: refusals`,
    () => acceptThenRefuse(azure, machine, judgedBy(server, stage)),
    (refused) => refused.join(", "),
  );
}

/** What the VaultAzureAuth component declares, by the same API that its provider uses. */
async function configure(server: VaultServer, program: VaultProgram, stage: VaultStage, password: string) {
  const { azure, machine } = stage;
  const { subscriptionId, resourceGroup, principal } = loginMachine(azure, machine);
  const own = {
    bound_service_principal_ids: [principal.objectId],
    bound_subscription_ids: [subscriptionId],
    bound_resource_groups: [resourceGroup],
    token_policies: ["web"],
    token_ttl: `${TTL}s`,
    token_max_ttl: `${MAX_TTL}s`,
  };
  const group = { ...own, bound_resource_groups: wrongRoles["wrong-group"].resourceGroups };
  const subscription = { ...own, bound_subscription_ids: wrongRoles["wrong-subscription"].subscriptions };
  await must(server, "sys/auth/azure", { type: program.authType });
  await must(server, "auth/azure/config", { tenant_id: azure.cloud.tenantId, resource: RESOURCE });
  await must(server, "auth/azure/role/web", own);
  await must(server, "auth/azure/role/wrong-group", group);
  await must(server, "auth/azure/role/wrong-subscription", subscription);
  await must(server, "sys/policies/acl/web", { policy: 'path "kv/data/database" { capabilities = ["read"] }' });
  await must(server, "sys/mounts/kv", { type: "kv", options: { version: "2" } });
  await must(server, "kv/data/database", { data: { password } });
  await must(server, "kv/data/other", { data: { password: "of somebody else" } });
}

/** What `pulumi up` leaves to Vault: it says what is wrong with a policy, and does not write it. */
async function refusesPolicies(server: VaultServer): Promise<void> {
  const malformed = ['path "kv/data/database" {', 'path "kv/data/database" { capabilities = ["raed"] }'];
  for (const policy of malformed) {
    const { status, body } = await server.ask("POST", "sys/policies/acl/malformed", { policy });
    if (status !== 400 || !body.errors?.length) throw new Error(`Vault answers ${status} to the policy ${policy}`);
  }
}

async function must(server: VaultServer, location: string, body: object): Promise<void> {
  const { status, body: answer } = await server.ask("POST", location, body);
  if (status >= 300) throw new Error(`POST ${location} answers ${status}: ${answer.errors?.join("; ")}`);
}

async function agentServes(agent: VaultAgent, password: string): Promise<void> {
  await until(() => fs.existsSync(agent.renderedFile), agent);
  if (fs.readFileSync(agent.renderedFile, "utf8") !== password) throw new Error("the agent rendered another secret");
  const read = await agent.ask("GET", "kv/data/database");
  const { data } = (read.body.data ?? {}) as { data?: { password?: string } };
  if (data?.password !== password) throw new Error(`the agent's listener answers ${read.status}`);
  const other = await agent.ask("GET", "kv/data/other");
  if (other.status !== 403) throw new Error(`the agent's listener answers ${other.status} to what is not its role's`);
}

/** Past its first lease the agent still has the same token, and past its last one another. */
async function agentStays(agent: VaultAgent): Promise<void> {
  const token = () => fs.readFileSync(agent.tokenFile, "utf8");
  const first = token();
  const gone = Date.now() + (TTL + 1) * 1000;
  await until(() => Date.now() > gone, agent);
  const renewed = await agent.ask("GET", "auth/token/lookup-self");
  if (renewed.status !== 200) throw new Error(`the agent's token was not renewed: ${renewed.status}`);
  if (token() !== first) throw new Error("the agent logged in again instead of renewing");
  await until(() => token() !== first, agent);
  const { status } = await agent.ask("GET", "kv/data/database");
  if (status !== 200) throw new Error(`after its second login the agent's listener answers ${status}`);
}

async function until(condition: () => boolean, agent: VaultAgent): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`the agent does not get there: ${agent.log()}`);
    await sleep(200);
    await agent.tick();
  }
}

function judgedBy(server: VaultServer, { azure, machine }: VaultStage): Judge {
  const { subscriptionId: subscription_id, resourceGroup, name: vm_name } = loginMachine(azure, machine);
  return async (role, jwt) => {
    const body = { role, jwt, subscription_id, resource_group_name: resourceGroup, vm_name };
    const answer = await server.ask("POST", "auth/azure/login", body, "");
    return answer.body.auth ? undefined : `${answer.status} ${answer.body.errors?.join("; ")}`;
  };
}
