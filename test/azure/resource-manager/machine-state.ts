import { createHmac, randomBytes } from "node:crypto";
import type { Cloud, CloudResource } from "../cloud";
import { cloudError } from "../gateway/error-answers";
import { type Answer, json, type Service, send } from "../gateway/exchange";

/** How a machine is besides what was asked for: `state` of its resource, which a test may set. */
interface MachineState {
  /** `running`, `deallocated`, `stopped`, … @default running */
  readonly power?: string;
  /** What its serial console has shown. @default nothing */
  readonly console?: string;
}

/** Where Azure keeps the logs of consoles: an account of its own, in another place for each machine. */
const CONSOLES = "md-loopback.z1.blob.storage.azure.net";

function stateOf(machine: CloudResource | undefined): MachineState {
  return (machine?.state ?? {}) as MachineState;
}

/** Source: https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view */
export function instanceViewOf(machine: CloudResource): object {
  const provisioning = String(machine.properties.provisioningState ?? "Succeeded").toLowerCase();
  const codes = [`ProvisioningState/${provisioning}`, `PowerState/${stateOf(machine).power ?? "running"}`];
  return { statuses: codes.map((code) => ({ code, level: "Info" })) };
}

/** Serial consoles, each at an address that tells its log to those who were given it. */
export interface Consoles {
  readonly host: string;
  readonly service: Service;
  /** Source: https://learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data */
  addresses(machine: CloudResource): Answer;
}

export function createConsoles(cloud: Cloud): Consoles {
  const key = randomBytes(32);
  const sign = (id: string) => createHmac("sha256", key).update(id.toLowerCase()).digest("base64url");
  return {
    host: CONSOLES,
    addresses(machine) {
      const query = new URLSearchParams({ id: machine.id, sig: sign(machine.id) });
      return json(200, { serialConsoleLogBlobUri: `https://${CONSOLES}/bootdiagnostics/serialconsole.log?${query}` });
    },
    service: async (exchange) => {
      const { searchParams } = exchange.url;
      const id = searchParams.get("id") ?? "";
      exchange.request.resume();
      if (searchParams.get("sig") !== sign(id))
        return send(exchange, cloudError(403, "AuthenticationFailed", "no SAS"));
      const { console } = stateOf(cloud.get(id));
      if (console === undefined) return send(exchange, cloudError(404, "BlobNotFound", "nothing was shown yet"));
      return send(exchange, { status: 200, headers: { "content-type": "text/plain" }, body: console });
    },
  };
}
