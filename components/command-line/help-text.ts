import type { Command } from "./command";
import { wrap } from "./wrap";

/** The width that help is written for. */
const WIDTH = 80;

/** All that a command knows, on one screen. */
export function helpText(command: Command): string {
  const { about, actions = {}, exitCodes, name, notes = [], options } = command;
  const actionRows = Object.entries(actions).map(([action, { about: what, word }], index): Row => {
    return [index === 0 ? `(or ${action})` : [action, word].filter(Boolean).join(" "), what];
  });
  const optionRows = Object.entries(options).map(([option, { about: what, actions: only, value }]): Row => {
    return [`--${option}${value ? ` ${value}` : ""}`, only ? `${only.join(", ")}: ${what}` : what];
  });
  const width = Math.max(...[...actionRows, ...optionRows].map(([left]) => left.length));
  const codes = Object.entries(exitCodes).map(([code, what]) => `${code} ${what}`);
  const rest = [
    `exit codes: ${codes.join("; ")}`,
    ...("json" in options ? [`in a pipe, without npm's banner: npm run -s ${name} -- --json | jq .`] : []),
    ...notes,
  ];
  const usage = `npm run ${name} --${actionRows.length > 0 ? " [ACTION]" : ""} [OPTIONS]`;
  return [
    `usage: ${usage}`,
    ...wrap(about, "", WIDTH),
    "",
    ...actionRows.flatMap((row) => rowLines(row, width)),
    ...optionRows.flatMap((row) => rowLines(row, width)),
    "",
    ...rest.flatMap((line) => wrap(line, "", WIDTH)),
    "",
  ].join("\n");
}

type Row = readonly [left: string, right: string];

function rowLines([left, right]: Row, width: number): string[] {
  const margin = " ".repeat(width + 4);
  const [first = "", ...others] = wrap(right, margin, WIDTH);
  return [`  ${left.padEnd(width)}  ${first.trimStart()}`, ...others];
}
