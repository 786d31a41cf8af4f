import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policyProblem } from "../../../components/vault-auth/vault-policy";

describe("a policy of Vault", () => {
  it.each([
    ["a path", 'path "secret/data/web" { capabilities = ["read"] }'],
    [
      "several paths, comments and blank lines",
      '# web\npath "a/*" {\n  capabilities = ["read", "list"]\n}\n\n// b\npath "b/+/c" { capabilities = ["deny"] } /* end */',
    ],
    ["a trailing comma", 'path "a" { capabilities = ["create", "update",] }'],
    [
      "parameters",
      'path "a" {\n capabilities = ["update"]\n allowed_parameters = { "ttl" = ["1h"], "*" = [] }\n required_parameters = ["ttl"]\n}',
    ],
    ["wrapping", 'path "a" { capabilities = ["read"] min_wrapping_ttl = "1s" max_wrapping_ttl = "90s" }'],
    [
      "a control group",
      'path "a" { capabilities = ["read"] control_group = { factor "ops" { identity { group_names = ["ops"] approvals = 1 } } } }',
    ],
    ["a quoted quote", 'path "a\\"b" { capabilities = ["read"] }'],
  ])("may have %s", (_, hcl) => {
    expect(policyProblem(hcl)).toBeUndefined();
  });

  it.each([
    ["", 'holds no path "…" { … } block'],
    ["# nothing\n", 'holds no path "…" { … } block'],
    ['paht "a" { }', 'must have path "…", got "paht" on line 1'],
    ["path a { }", 'must have a path in quotes, got "a" on line 1'],
    ['path "" { capabilities = ["read"] }', "has an empty path on line 1"],
    ['path "a" { }', 'path "a" has no capabilities on line 1'],
    [
      '\npath "a" {\n  capabilities = ["raed"]\n}',
      'has an unknown capability "raed" (create, read, update, patch, delete, list, sudo, deny, subscribe or recover) on line 3',
    ],
    ['path "a" { capabilities = [] }', "has an empty list of capabilities on line 1"],
    ['path "a" { capabilities = "read" }', "capabilities must be a list on line 1"],
    ['path "a" { capabilities ["read"] }', "must have = after capabilities on line 1"],
    ['path "a" { capabilities = ["read" }', 'must have ], got "}" on line 1'],
    ['path "a" { capabilities = ["read"]', "is cut short on line 1"],
    ['path "a" {\n  capabilities = ["read"', "is cut short on line 2"],
    ['path "a" { capabilities = ["read"] } }', 'must have path "…", got "}" on line 1'],
    ['path "a" { capabilities = ["read"] ttl = 5 }', /^must have one of capabilities, .*, got "ttl" on line 1$/],
    [
      'path "a" { capabilities = ["read"] allowed_parameters = [] }',
      "allowed_parameters must be a { … } block on line 1",
    ],
    ['path "a" { capabilities = ["read"] min_wrapping_ttl = [] }', "min_wrapping_ttl must be a duration on line 1"],
    ['path "a" {\n capabilities = ["read"]\n} ?', 'has an unexpected "?" on line 3'],
    ['path "a" { capabilities = ["read"] } "unclosed', 'has an unexpected "\\"" on line 1'],
  ])("%j is refused", (hcl, problem) => {
    if (typeof problem === "string") expect(policyProblem(hcl)).toBe(problem);
    else expect(policyProblem(hcl)).toMatch(problem);
  });

  it("of any text is checked in an end, and never fails", () => {
    const piece = fc.constantFrom(
      "path",
      '"a"',
      "{",
      "}",
      "[",
      "]",
      "=",
      ",",
      "capabilities",
      '"read"',
      "\n",
      "#",
      "x",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const problem = policyProblem(pieces.join(" "));
        expect(problem === undefined || problem.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
