import * as pulumi from "@pulumi/pulumi";
import { createCloud } from "loopback-azure/cloud";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { expect, it } from "vitest";
import { whoDeploys } from "../../../components/azure/deployer";
import { runProgram } from "../../rehearsal/engine/in-process";
import { UpdateFailed } from "../../rehearsal/engine/update-failed";

class Part extends pulumi.ComponentResource {}

/** Previews of a program that only asks who deploys, and exports it. */
function previews() {
  const cloud = createCloud();
  const principal = cloud.directory.addApplication({ displayName: "me" });
  const azure = simulatedAzureNative({ cloud, principal });
  const login = { isThere: true };
  const invoke: typeof azure.invoke = (...asked) =>
    login.isThere ? azure.invoke(...asked) : Promise.reject(new Error("no authorizer:\n  please run 'az login'"));
  const program = async () => {
    const { grantee, tenantId } = whoDeploys(new Part("sealed-onion:test:Part", "part"));
    return { objectId: grantee.objectId, tenantId };
  };
  const common = { project: "p", stack: "dev", config: {}, preview: true, program };
  return { login, principal, preview: () => runProgram({ ...common, providers: [{ ...azure, invoke }] }) };
}

it("a preview without a login says so once, in one line, and is made once somebody is logged in", async () => {
  const { login, preview, principal } = previews();
  login.isThere = false;
  const failed = await preview().catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(UpdateFailed);
  const { message } = failed as UpdateFailed;
  expect(message.split("\n")).toHaveLength(1);
  expect(message).toContain("does not say who deploys: log in with az login, or set ARM_CLIENT_ID");
  expect(message).toContain("npm run rehearse"); // what can be seen without one
  expect(message).toMatch(/\(it says: .*no authorizer: please run 'az login'\)$/);
  login.isThere = true;
  expect((await preview()).outputs).toEqual({ objectId: principal.objectId, tenantId: principal.tenantId });
});
