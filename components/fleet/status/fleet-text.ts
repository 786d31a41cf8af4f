import { verdictText } from "../../vm/status/status-text";
import type { FleetReport, Member } from "./fleet-report";

/** For people: a line for each machine, the last line says what is wrong and what to type. */
export function fleetText({ stack, members, verdict }: FleetReport): string {
  return [`${"stack".padEnd(12)} ${stack}`, ...members.map(memberText), verdictText(verdict)].join("\n");
}

function memberText({ role, share, status, introductionPoints, verdict }: Member): string {
  const zone = status?.zone === undefined ? [] : [`zone ${status.zone}`];
  const services = Object.values(status?.services ?? {});
  const published = services.map(({ published: at }) => (at === null ? "not published" : `published ${at}`));
  const points = introductionPoints === undefined ? [] : [`${introductionPoints} introduction points in the address`];
  const visits = share === undefined ? [] : [`${Math.round(share * 100)} % of visits`];
  const problem = verdict.problem === undefined ? [] : [verdict.problem];
  return `${role.padEnd(12)} ${[...zone, ...published, ...points, ...visits, ...problem].join(", ")}`;
}

/** For programs: one line. */
export function fleetJson({ stack, members, verdict }: FleetReport): string {
  return JSON.stringify({ stack, ...verdict, machines: members });
}

/** Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export function fleetMetrics({ stack, members, verdict }: FleetReport): string {
  const labels = (role: string) => `{stack=${JSON.stringify(stack)},role=${JSON.stringify(role)}}`;
  const replicas = members.filter(({ introductionPoints }) => introductionPoints !== undefined);
  return [
    "# HELP sealed_onion_serving Whether it takes visits, or has them led to it.",
    "# TYPE sealed_onion_serving gauge",
    `sealed_onion_serving${labels("address")} ${Number(verdict.serving)}`,
    ...members.map((member) => `sealed_onion_serving${labels(member.role)} ${Number(member.verdict.serving)}`),
    "# HELP sealed_onion_introduction_points Of a replica, in what the front ends have published.",
    "# TYPE sealed_onion_introduction_points gauge",
    ...replicas.map(
      ({ role, introductionPoints }) => `sealed_onion_introduction_points${labels(role)} ${introductionPoints}`,
    ),
    ...shareMetrics(replicas, labels),
    "",
  ].join("\n");
}

function shareMetrics(replicas: readonly Member[], labels: (role: string) => string): string[] {
  const counted = replicas.filter(({ share }) => share !== undefined);
  if (counted.length === 0) return [];
  return [
    "# HELP sealed_onion_visits_share Of a replica, of all visits, 0 to 1.",
    "# TYPE sealed_onion_visits_share gauge",
    ...counted.map(({ role, share }) => `sealed_onion_visits_share${labels(role)} ${share?.toFixed(3)}`),
  ];
}
