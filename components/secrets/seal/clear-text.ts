/** What is shorter is in any text by chance. Bytes. */
const SHORTEST = 8;
const SHORTEST_LINE = 16;

/**
 * Whether a plaintext, or a line of it, shows in what is to be a sealed file: as it is, as JSON writes it or in base64.
 * @param known what shows there for good reason, such as recipients
 */
export function showsPlaintext(printed: Uint8Array, plaintext: Uint8Array, known: readonly string[]): boolean {
  const text = Buffer.from(printed.buffer, printed.byteOffset, printed.byteLength);
  const whole = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
  return piecesOf(whole).some((piece) => {
    const isKnown = known.some((one) => one.includes(piece.toString("latin1")));
    return !isKnown && formsOf(piece).some((form) => text.includes(form));
  });
}

/** The whole, and its lines: an armor's first and last line is that of others, too. */
function piecesOf(whole: Buffer): Buffer[] {
  const pieces = whole.length >= SHORTEST ? [whole] : [];
  for (let start = 0; start < whole.length; ) {
    const end = whole.indexOf("\n", start) < 0 ? whole.length : whole.indexOf("\n", start);
    const line = whole.subarray(start, end);
    if (line.length >= SHORTEST_LINE && !line.includes("-----")) pieces.push(line);
    start = end + 1;
  }
  return pieces;
}

function formsOf(piece: Buffer): (Buffer | string)[] {
  const escaped = JSON.stringify(piece.toString("utf8")).slice(1, -1);
  return [piece, escaped, piece.toString("base64").replace(/=+$/, ""), piece.toString("base64url")];
}
