import { describe, expect, it } from "vitest";
import { withOwnSecrets } from "../../../components/secrets/own-secrets";

const onion = { source: { onion: {} } };
const value = (config: Readonly<Record<string, unknown>>) => (key: string) => config[key];
const names = (declared: unknown, config: Readonly<Record<string, unknown>>) =>
  Object.keys((withOwnSecrets(declared, value(config)) ?? {}) as object).sort();

describe("the secrets that a stack needs without a declaration", () => {
  it.each([
    ["no service offers SSH", { services: { web: {} } }, ["onion"]],
    ["services are none", {}, ["onion"]],
    ["services are malformed", { services: "web" }, ["onion"]],
    ["a service offers SSH", { services: { web: {}, shell: { ssh: true } } }, ["onion", "ssh-host-key"]],
  ])("if %s", (_, config, expected) => {
    expect(names({ onion }, config)).toEqual(expected);
  });

  it("are taken as they are declared, where they are", () => {
    const imported = { source: { file: "host-key" }, generation: 2 };
    const services = { shell: { ssh: true } };
    expect(withOwnSecrets({ "ssh-host-key": imported }, value({ services }))).toEqual({ "ssh-host-key": imported });
  });

  it.each([[undefined], [{}], ["onion"], [[onion]]])("leave %j to those who check it", (declared) => {
    expect(withOwnSecrets(declared, value({ services: { shell: { ssh: true } } }))).toBe(declared);
  });
});
