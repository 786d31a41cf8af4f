/** A text in lines of at most `columns`, each after the same margin. A word that is longer than a line stays whole. */
export function wrap(text: string, margin: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && margin.length + last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${margin}${line}`);
}
