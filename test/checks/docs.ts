import * as fs from "node:fs";
import * as path from "node:path";
import { createCloud } from "loopback-azure/cloud";
import { simulatedAzureNative } from "loopback-azure/provider/azure-native";
import { parse } from "yaml";
import { PARTS } from "../../components/azure/rights";
import { runProgram } from "../rehearsal/engine/in-process";
import { loadProgram } from "../rehearsal/engine/load-program";
import { localCommand } from "../rehearsal/providers/local-command";
import { simulatedRandom } from "../rehearsal/providers/random";
import { stackConfig } from "../rehearsal/scenario";
import { resourceGraph } from "./resource-graph";

interface Dial {
  type: string;
  description: string;
  default: unknown;
}

/** The dials as a Markdown table. @param yaml components/stack/dials.yaml */
export function dialTable(yaml: string): string {
  const dials = parse(yaml) as Record<string, Dial>;
  const rows = Object.entries(dials).map(([key, { type, description, default: value }]) => {
    const shown = value === "" ? "" : `\`${JSON.stringify(value)}\``;
    return `| \`${key}\` | ${type} | ${shown} | ${description.trim()} |`;
  });
  return ["| key | type | default | what it does |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** What each part of a deployment has to be allowed. Operations of one type are on one line. */
function rightsTable(): string {
  const rows = PARTS.map(({ name, when, actions }) => {
    const types = [...grouped(actions)].map(([type, operations]) => `${type}: ${operations.join(", ")}`);
    return `| ${name} | ${when} | ${types.join("<br>")} |`;
  });
  return ["| part | needed | actions |", "| --- | --- | --- |", ...rows].join("\n");
}

function grouped(actions: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const action of actions) {
    const [, type = "", operation = ""] = /^(.+?)\/(read|write|delete|[a-zA-Z]+\/action)$/.exec(action) ?? [];
    if (type === "") throw new Error(`${action} is no action`);
    groups.set(type, [...(groups.get(type) ?? []), operation]);
  }
  return groups;
}

/** The resource graph of a preview of the default stack: nothing is made, nobody is asked. */
export async function previewGraph(): Promise<string> {
  const cloud = createCloud();
  const principal = { objectId: "00000000-0000-4000-8000-000000000001", clientId: "" };
  const { resources } = await runProgram({
    program: loadProgram(process.cwd()),
    config: stackConfig({ onion: { source: { onion: {} } } }),
    project: "sealed-onion",
    stack: "dev",
    preview: true,
    providers: [
      simulatedAzureNative({ cloud, principal, location: "westeurope" }),
      simulatedRandom(),
      localCommand({ folder: process.cwd() }),
    ],
  });
  return `\`\`\`mermaid\n${resourceGraph(resources)}\n\`\`\``;
}

/** Puts a text between `<!-- name -->` and `<!-- /name -->`. @throws where a document has no such place */
export function withSection(document: string, name: string, text: string): string {
  const place = new RegExp(`<!-- ${name} -->[^]*<!-- /${name} -->`);
  if (!place.test(document)) throw new Error(`the document has no place <!-- ${name} --> … <!-- /${name} -->`);
  return document.replace(place, () => `<!-- ${name} -->\n${text}\n<!-- /${name} -->`);
}

/** What is drawn or listed from the program itself, by document. */
export async function generatedSections(): Promise<[file: string, name: string, text: string][]> {
  return [
    ["README.md", "dials", dialTable(fs.readFileSync("components/stack/dials.yaml", "utf8"))],
    [path.join("components", "doctor", "README.md"), "rights", rightsTable()],
    [path.join("components", "README.md"), "graph", await previewGraph()],
  ];
}
