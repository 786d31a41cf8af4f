import * as fs from "node:fs";
import * as path from "node:path";
import { wrap } from "../../components/command-line/wrap";
import { reportText } from "../../components/vm/status/status-text";
import { verdictOf } from "../../components/vm/status/verdict";
import { exampleStatus } from "../components/vm/status/example-status";

/** A line of a picture: pieces of text, some of them bold. */
type Line = readonly { readonly text: string; readonly bold?: boolean; readonly code?: boolean }[];

const folder = path.join(".github", "pictures");
const WIDTH = 84;
const CHARACTER = 7.8;
const LINE = 18;
const MARGIN = 16;

const dark = { back: "#161b22", text: "#e6edf3", code: "#e6edf3" };
const light = { back: "#ffffff", text: "#1f2328", code: "#0550ae" };

/** The README's pictures by their file, drawn from what the program prints. */
export function pictures(): [file: string, svg: string][] {
  const at = (name: string) => path.join(folder, name);
  const rehearsal = fs.readFileSync(at("rehearsal.txt"), "utf8");
  const comment = fs.readFileSync("test/program/golden/preview-local.md", "utf8");
  return [
    [at("rehearsal.svg"), draw("what npm run rehearse prints", plain(`$ npm run rehearse\n${rehearsal}`), dark)],
    [at("comment.svg"), draw("the comment on a pull request", markdown(comment), light)],
    [at("status.svg"), draw("what npm run status prints", plain(`$ npm run status\n${statusExample()}`), dark)],
  ];
}

function statusExample(): string {
  const written = new Date("2026-06-02T00:00:00Z");
  const status = exampleStatus({ written: written.toISOString() });
  const is = { power: "running", provisioning: "Succeeded", console: [] };
  const outside = { wanted: { is: status.resourceId }, azure: { is } };
  return reportText({ stack: "dev", status, verdict: verdictOf(status, written), probes: [], outside });
}

/** As a terminal breaks lines. */
function plain(text: string): Line[] {
  const lines = text.trimEnd().split("\n");
  return lines.flatMap((line) => (line.match(new RegExp(`.{1,${WIDTH}}`, "gu")) ?? [""]).map((one) => [{ text: one }]));
}

/** As much of Markdown as the comment has, up to what GitHub shows folded. */
function markdown(text: string): Line[] {
  const [shown = ""] = text.split("<details>");
  const blocks = shown
    .replace(/<!--.*-->\n/, "")
    .trim()
    .split("\n\n");
  return blocks.flatMap((block) => [...blockLines(block), [{ text: "" }]]);
}

function blockLines(block: string): Line[] {
  if (block.startsWith("|")) return tableLines(block);
  const heading = /^#+ (.*)/.exec(block)?.[1];
  if (heading) return [[{ text: heading.replaceAll("`", ""), bold: true }]];
  return block.split("  \n").flatMap((paragraph) => {
    const isBold = /^\*\*[^*]+\*\*$/.test(paragraph);
    const words = paragraph.replaceAll("\n", " ").replaceAll(/\*\*|[*`]/g, "");
    return wrap(words, "", WIDTH).map((text) => [{ text, bold: isBold }]);
  });
}

function tableLines(block: string): Line[] {
  const rows = block.split("\n").map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
  const [header = [], , ...body] = rows;
  const all = [header, ...body];
  const widths = header.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  return all.flatMap((cells, index) => {
    const start = cells
      .slice(0, -1)
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ");
    const [first = "", ...others] = wrap(cells.at(-1) ?? "", " ".repeat(before), WIDTH);
    const line = `${start}  ${first.trimStart()}`;
    return [line, ...others].map((text) => [{ text, bold: index === 0, code: index > 0 }]);
  });
}

function draw(title: string, lines: readonly Line[], colours: typeof dark): string {
  const width = Math.ceil(WIDTH * CHARACTER) + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  const font = `font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13"`;
  const texts = lines.map((line, index) => lineText(line, MARGIN + (index + 1) * LINE - 5, colours));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${colours.back}" stroke="#d0d7de"/>`,
    `<g ${font} xml:space="preserve">`,
    ...texts.filter((text) => text !== ""),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function lineText(line: Line, y: number, colours: typeof dark): string {
  const pieces = line.filter(({ text }) => text !== "");
  if (pieces.length === 0) return "";
  const spans = pieces.map(({ bold, code, text }) => {
    const fill = text.startsWith("✓") ? "#3fb950" : code ? colours.code : colours.text;
    return text.startsWith("✓")
      ? `<tspan fill="${fill}">✓</tspan><tspan fill="${colours.text}">${escaped(text.slice(1))}</tspan>`
      : `<tspan fill="${fill}"${bold ? ' font-weight="bold"' : ""}>${escaped(text)}</tspan>`;
  });
  return `<text x="${MARGIN}" y="${y}">${spans.join("")}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
