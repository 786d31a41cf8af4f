/** What can be done with what is kept up: lines to copy, under titles. */
export function keptText(sections: Readonly<Record<string, readonly string[]>>): string {
  const text = Object.entries(sections).map(
    ([title, body]) => `${title}:\n${body.map((one) => `  ${one}\n`).join("")}`,
  );
  return `\n${text.join("")}\n`;
}
