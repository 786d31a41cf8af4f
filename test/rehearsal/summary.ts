import type { RehearsalReport } from "./report";

const LIGHT = `light, its programs one by one; to boot it (Linux, as root):
               sudo npm run rehearse -- --boot`;

/**
 * The end of a rehearsal, for people.
 * @param seconds that it took: less than its steps together, as some of them happen at the same time
 */
export function summary(report: RehearsalReport, seconds: number): string {
  const { guest, stories } = report;
  const { engine, resources, onionHostname, httpStatus, secretsUnsealed, leaks, canaryFound, bytesUploaded } = report;
  const held = stories.filter(({ ok }) => ok).length;
  const lines = [
    `${report.ok ? "all holds" : "NOT everything holds"}, after ${seconds.toFixed(0)} s`,
    `  engine       ${engine}, ${resources} resources`,
    `  guest        ${guest === "booted" ? `booted under systemd, ${held} of ${stories.length} stories hold` : LIGHT}`,
    `  page         answered ${httpStatus}`,
    `               ${onionHostname}`,
    `  secrets      ${secretsUnsealed} opened on the VM`,
    `  image        ${(bytesUploaded / (1 << 20)).toFixed(1)} MiB uploaded`,
    `  plaintext    ${leaks.length === 0 ? "found nowhere" : `FOUND ${leaks.length} times`}, planted canary ${canaryFound ? "found" : "NOT found"}`,
    ...leaks.map(({ plaintext, form, where }) => `    ${plaintext} in ${form}: ${where}`),
    ...report.skipped.map((reason) => `  ${reason}`),
  ];
  return `\n${lines.join("\n")}\n`;
}
