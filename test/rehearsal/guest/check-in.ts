import * as http from "node:http";
import type { Machine } from "loopback-azure/machine/machine";
import { canRunAfterburn, runAfterburn } from "./afterburn";
import { readEvaluatedGuest } from "./evaluated";

const WIRE_SERVER = "http://168.63.129.16";
const VERSION = { "x-ms-version": "2012-11-30" };

/**
 * Reports the VM ready to Azure's wire server, as the guest's boot agent does.
 * @returns the program that did it
 */
export async function checkIn(machine: Machine): Promise<string> {
  if (!canRunAfterburn()) {
    await reportReady(machine);
    return "our own request (afterburn is not on PATH, or may not mount)";
  }
  await runAfterburn(machine, readEvaluatedGuest().checkIn.arguments);
  return "afterburn";
}

/** Source: Azure's wire protocol as afterburn's src/providers/microsoft/azure speaks it (goal state, then health). */
async function reportReady(machine: Machine): Promise<void> {
  const goalState = await ask(machine, "GET", "/machine/?comp=goalstate");
  const [, container = ""] = /<ContainerId>([^<]+)<\/ContainerId>/.exec(goalState) ?? [];
  const [, instance = ""] = /<InstanceId>([^<]+)<\/InstanceId>/.exec(goalState) ?? [];
  const health = `<?xml version="1.0" encoding="utf-8"?>
<Health><GoalStateIncarnation>1</GoalStateIncarnation><Container><ContainerId>${container}</ContainerId>
<RoleInstanceList><Role><InstanceId>${instance}</InstanceId><Health><State>Ready</State></Health></Role>
</RoleInstanceList></Container></Health>`;
  await ask(machine, "POST", "/machine/?comp=health", health);
}

function ask(machine: Machine, method: string, location: string, body = ""): Promise<string> {
  const proxy = new URL(machine.proxyUrl);
  const headers = { ...VERSION, host: new URL(WIRE_SERVER).host, "content-type": "text/xml; charset=utf-8" };
  const options = { host: proxy.hostname, port: proxy.port, method, path: `${WIRE_SERVER}${location}`, headers };
  return new Promise((resolve, reject) => {
    const request = http.request(options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString("utf8");
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`the wire server answers ${response.statusCode} to ${location}: ${text}`));
    });
    request.once("error", reject);
    request.end(body);
  });
}
