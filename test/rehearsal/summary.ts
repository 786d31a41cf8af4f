import type { RehearsalReport } from "./report";

/** The end of a rehearsal, for people. */
export function summary(report: RehearsalReport): string {
  const { engine, resources, onionHostname, httpStatus, secretsUnsealed, leaks, canaryFound, bytesUploaded } = report;
  const total = report.steps.reduce((sum, step) => sum + step.seconds, 0);
  const lines = [
    `${report.ok ? "all holds" : "NOT everything holds"}, after ${total.toFixed(0)} s`,
    `  engine       ${engine}, ${resources} resources`,
    `  page         http://${onionHostname}/ answered ${httpStatus}`,
    `  secrets      ${secretsUnsealed} opened on the VM`,
    `  image        ${(bytesUploaded / (1 << 20)).toFixed(1)} MiB uploaded`,
    `  plaintext    ${leaks.length === 0 ? "found nowhere" : `FOUND ${leaks.length} times`}, planted canary ${canaryFound ? "found" : "NOT found"}`,
    ...leaks.map(({ plaintext, form, where }) => `    ${plaintext} in ${form}: ${where}`),
    ...report.skipped.map((reason) => `  ${reason}`),
  ];
  return `\n${lines.join("\n")}\n`;
}
