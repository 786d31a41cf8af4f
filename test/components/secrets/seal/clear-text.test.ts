import { describe, expect, it } from "vitest";
import { showsPlaintext } from "../../../../components/secrets/seal/clear-text";
import { parseOnce } from "../../../../components/secrets/seal/json-once";

const shows = (printed: string, plaintext: string | Buffer, known: string[] = []) =>
  showsPlaintext(Buffer.from(printed), Buffer.from(plaintext), known);

describe("a plaintext in what is to be sealed", () => {
  const twoLines = 'first line\nthe "second" line of it\n';
  it.each<[string, string, string | Buffer]>([
    ["as it is", '{"note":"correct horse"}', "correct horse"],
    ["as JSON writes it", JSON.stringify({ note: twoLines }), twoLines],
    ["a line of it", '{"note":"the \\"second\\" line of it"}', twoLines],
    ["in base64", Buffer.from("correct horse").toString("base64"), "correct horse"],
    ["of bytes, in base64url", Buffer.alloc(64, 0xfb).toString("base64url"), Buffer.alloc(64, 0xfb)],
  ])("is seen %s", (_, printed, plaintext) => {
    expect(shows(printed, plaintext)).toBe(true);
  });

  it.each<[string, string, string | Buffer, string[]]>([
    ["is short, and there by chance", '{"data":"ENC"}', "data", []],
    ["is a recipient itself", '{"recipient":"age1qqqqqqqq"}', "age1qqqqqqqq", ["age1qqqqqqqq"]],
    ["has an armor's lines", "-----BEGIN PGP MESSAGE-----\nabc", "-----BEGIN PGP MESSAGE-----\nxyz", []],
    ["is not there", '{"data":"ENC[AES256_GCM]"}', "correct horse", []],
    ["is empty", "{}", "", []],
  ])("is not, where it %s", (_, printed, plaintext, known) => {
    expect(shows(printed, plaintext, known)).toBe(false);
  });
});

describe("JSON with each key once", () => {
  it.each(['{"a":{"b":"c"},"d":[{"b":1},{"b":2}]}', '{"a\\"":1,"b":"\\\\","c":": \\" :"}', "[]", '"a"', '{ "a" : 1 }'])(
    "is read: %s",
    (text) => {
      expect(parseOnce(text)).toEqual(JSON.parse(text));
    },
  );

  it.each([
    '{"a":1,"a":1}',
    '{"a":{"age":1,"Age":2}}',
    '{"\u017fops":{}}',
    '{"x":[{"a":1,"b":2,"a":3}]}',
    '{"a":1,"\\u0061":2}',
    '{"a":1',
    "",
  ])("is nothing else: %s", (text) => {
    expect(() => parseOnce(text)).toThrow();
  });

  it("may hold megabytes", () => {
    const text = JSON.stringify({ data: "A".repeat(24 * 1024 * 1024), sops: { mac: "x" } });
    expect(Object.keys(parseOnce(text) as object)).toEqual(["data", "sops"]);
  });
});
