import { cloudError } from "../gateway/error-answers";
import { type Answer, type Exchange, readBody, type Service, send, xml } from "../gateway/exchange";
import { stableGuid } from "./machine-facts";

export const WIRE_SERVER_HOST = "168.63.129.16";

/** What became of a machine's start, as Azure sees it. */
export interface Provisioning {
  state: "Creating" | "Succeeded" | "Failed";
  /** Azure's error code of a failure: `OSProvisioningTimedOut`, `OSProvisioningClientError`. */
  code?: string;
  /** What the machine said, or what is missing. */
  detail?: string;
  /** When the last report came, milliseconds since 1970. */
  reportedAt?: number;
  /** How many reports came. */
  reports: number;
}

export interface WireServerOptions {
  machineId: string;
  /** The clock, milliseconds since 1970. */
  now: () => number;
  /** How long Azure waits for the first report, milliseconds. */
  provisioningTimeoutMs: number;
}

export interface WireServer {
  service: Service;
  provisioning(): Provisioning;
}

const SUPPORTED = ["2015-04-05", "2012-11-30", "2012-09-15", "2012-05-15", "2011-12-31", "2011-10-15", "2011-08-31"];
const INCARNATION = "1";

function versions(): string {
  const list = SUPPORTED.map((version) => `<Version>${version}</Version>`).join("");
  return `<?xml version="1.0" encoding="utf-8"?><Versions><Preferred><Version>2015-04-05</Version></Preferred><Supported>${list}</Supported></Versions>`;
}

function goalState(containerId: string, instanceId: string): string {
  const base = `http://${WIRE_SERVER_HOST}:80/machine/${containerId}/${instanceId}`;
  const config = (type: string) => `${base}?comp=config&amp;type=${type}&amp;incarnation=${INCARNATION}`;
  return `<?xml version="1.0" encoding="utf-8"?>
<GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="goalstate10.xsd">
  <Version>2012-11-30</Version>
  <Incarnation>${INCARNATION}</Incarnation>
  <Machine>
    <ExpectedState>Started</ExpectedState>
    <StopRolesDeadlineHint>300000</StopRolesDeadlineHint>
    <LBProbePorts><Port>16001</Port></LBProbePorts>
    <ExpectHealthReport>FALSE</ExpectHealthReport>
  </Machine>
  <Container>
    <ContainerId>${containerId}</ContainerId>
    <RoleInstanceList>
      <RoleInstance>
        <InstanceId>${instanceId}</InstanceId>
        <State>Started</State>
        <Configuration>
          <HostingEnvironmentConfig>${config("hostingEnvironmentConfig")}</HostingEnvironmentConfig>
          <SharedConfig>${config("sharedConfig")}</SharedConfig>
          <ExtensionsConfig>${config("extensionsConfig")}</ExtensionsConfig>
          <FullConfig>${config("fullConfig")}</FullConfig>
          <ConfigName>${instanceId}.0.${instanceId}.0._loopback.1.xml</ConfigName>
        </Configuration>
      </RoleInstance>
    </RoleInstanceList>
  </Container>
</GoalState>
`;
}

function sharedConfig(instanceId: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<SharedConfig version="1.0.0.0" goalStateIncarnation="${INCARNATION}">
  <Deployment name="loopback" guid="{${stableGuid("loopback")}}" incarnation="1"/>
  <Incarnation number="1" instance="${instanceId}" guid="{${stableGuid(instanceId)}}"/>
  <Instances>
    <Instance id="${instanceId}" address="10.0.0.4">
      <FaultDomains randomId="0" updateId="0" updateCount="0"/>
      <InputEndpoints/>
    </Instance>
  </Instances>
</SharedConfig>
`;
}

/** The text of the first element of that name. */
function element(document: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(document)?.[1]?.trim();
}

interface HealthReport {
  state: string;
  subStatus: string;
  description: string;
}

function parseHealth(document: string, containerId: string, instanceId: string): HealthReport | Answer {
  const isOurs =
    element(document, "GoalStateIncarnation") === INCARNATION &&
    element(document, "ContainerId") === containerId &&
    element(document, "InstanceId") === instanceId;
  const state = element(document, "State");
  if (state !== "Ready" && state !== "NotReady") {
    return cloudError(400, "InvalidHealthReport", `State must be Ready or NotReady, got ${state ?? "nothing"}`);
  }
  if (!isOurs)
    return cloudError(
      410,
      "ResourceGone",
      "The page you requested was removed: goal state, container or instance is not this one's",
    );
  return {
    state,
    subStatus: element(document, "SubStatus") ?? "",
    description: element(document, "Description") ?? "",
  };
}

/**
 * The wire server of one machine: protocol versions, goal state, health reports. `Ready` within the time-out makes the
 * provisioning succeed, `NotReady` with `ProvisioningFailed` or silence makes it fail; what comes later changes nothing,
 * as in Azure.
 */
export function createWireServer(options: WireServerOptions): WireServer {
  const { machineId, now, provisioningTimeoutMs } = options;
  const containerId = stableGuid(`container ${machineId}`);
  const instanceId = `${stableGuid(`instance ${machineId}`).replaceAll("-", "")}._${machineId.split("/").at(-1)}`;
  const startedAt = now();
  let reports = 0;
  let reportedAt: number | undefined;
  let outcome: Pick<Provisioning, "state" | "code" | "detail"> | undefined;

  function settle(): Pick<Provisioning, "state" | "code" | "detail"> {
    if (outcome === undefined && now() - startedAt > provisioningTimeoutMs) {
      const detail = `no Ready report within ${provisioningTimeoutMs / 1000} s`;
      outcome = { state: "Failed", code: "OSProvisioningTimedOut", detail };
    }
    return outcome ?? { state: "Creating" };
  }

  function accept(report: HealthReport): void {
    const current = settle().state;
    reports += 1;
    reportedAt = now();
    if (current !== "Creating") return;
    if (report.state === "Ready") outcome = { state: "Succeeded" };
    else if (report.subStatus === "ProvisioningFailed") {
      outcome = { state: "Failed", code: "OSProvisioningClientError", detail: report.description };
    }
  }

  async function health(exchange: Exchange): Promise<Answer> {
    const report = parseHealth((await readBody(exchange)).toString("utf8"), containerId, instanceId);
    if ("status" in report) return report;
    exchange.record.operation = `health ${report.state}`;
    accept(report);
    return { status: 200 };
  }

  async function answer(exchange: Exchange): Promise<Answer> {
    const { searchParams } = exchange.url;
    const component = searchParams.get("comp") ?? "";
    exchange.record.operation = component;
    if (component === "versions") return xml(200, versions());
    const version = exchange.request.headers["x-ms-version"];
    if (typeof version !== "string" || !SUPPORTED.includes(version)) {
      return cloudError(
        400,
        "InvalidVersion",
        `header x-ms-version must be one of ${SUPPORTED.join(", ")}, got ${version ?? "none"}`,
      );
    }
    if (component === "goalstate") return xml(200, goalState(containerId, instanceId));
    if (component === "health" && exchange.record.method === "POST") return health(exchange);
    if (component === "config" && searchParams.get("type") === "sharedConfig")
      return xml(200, sharedConfig(instanceId));
    return cloudError(404, "NotFound", `nothing at ${exchange.url.pathname}${exchange.url.search}`);
  }

  return {
    async service(exchange) {
      const result = await answer(exchange);
      exchange.request.resume();
      send(exchange, result);
    },
    provisioning: () => ({ ...settle(), reports, ...(reportedAt !== undefined && { reportedAt }) }),
  };
}
