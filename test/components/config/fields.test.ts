import { describe, expect, it } from "vitest";
import {
  gather,
  list,
  listed,
  MalformedError,
  map,
  mustBe,
  mustBeUnseen,
  shown,
  text,
} from "../../../components/config/fields";

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof MalformedError) return error.problems;
    throw error;
  }
  return [];
}

describe("a value in an error", () => {
  it.each([
    [undefined, "nothing"],
    ["a\nb", '"a\\nb"'],
    [0, "0"],
    [null, "null"],
    [{ a: 1 }, '{"a":1}'],
    ["x".repeat(61), `"${"x".repeat(60)}…"`],
  ])("%j is shown as %s", (value, expected) => {
    expect(shown(value)).toBe(expected);
  });

  it.each([
    ["hunter2", "a text of 7 characters"],
    [["hunter2"], "a list of 1"],
    [{ password: "hunter2" }, "an object"],
    [42, "a number"],
    [true, "a boolean"],
    [null, "null"],
    [undefined, "nothing"],
  ])("%j is only described where it may be a secret", (value, expected) => {
    const { problems } = mustBeUnseen({ path: "a.b", value }, "a path");
    expect(problems).toEqual([`a.b must be a path, got ${expected}: set sealed-onion:a.b`]);
  });

  it("comes with what to type, unless something better is known", () => {
    expect(mustBe({ path: "a", value: 1 }, "2").message).toBe("a must be 2, got 1: set sealed-onion:a");
    expect(mustBe({ path: "a", value: 1 }, "2", "type b").message).toBe("a must be 2, got 1: type b");
  });
});

describe("readers", () => {
  it("gather all problems, those inside of others too", () => {
    const item = (field: Parameters<typeof text>[0]) => text(field, "a digit", /^\d$/);
    const problems = problemsOf(() =>
      gather({
        one: () => list({ path: "one", value: ["1", "b", "c"] }, "a list", item),
        two: () => map({ path: "two", value: { y: "2", x: "e" } }, "a map", (_, field) => item(field)),
      }),
    );
    expect(problems).toEqual([
      'one[1] must be a digit, got "b": set sealed-onion:one[1]',
      'one[2] must be a digit, got "c": set sealed-onion:one[2]',
      'two.x must be a digit, got "e": set sealed-onion:two.x',
    ]);
  });

  it("keep the order of a list beyond ten items, and order a map by its names", () => {
    const values = Array.from({ length: 12 }, (_, index) => `${index}`);
    expect(list({ path: "a", value: values }, "a list", ({ value }) => value)).toEqual(values);
    expect(map({ path: "a", value: { b: 1, "10": 2, "9": 3 } }, "a map", (name) => name)).toEqual(["10", "9", "b"]);
  });

  it("pass on any other error", () => {
    const broken = () => {
      throw new TypeError("a mistake of ours");
    };
    expect(() => gather({ broken })).toThrow(TypeError);
  });
});

describe("a choice in words", () => {
  it.each([
    [["a"], "a"],
    [["a", "b"], "a or b"],
    [["a", "b", "c"], "a, b or c"],
  ])("%j is %s", (values, expected) => {
    expect(listed(values)).toBe(expected);
  });
});
