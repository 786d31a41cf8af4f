import { membersOf } from "loopback-azure/provider/kind-check";
import { kinds } from "loopback-azure/provider/kinds/index";
import { expect, it } from "vitest";
import { withTags } from "../../../components/azure/tags";
import { SealingVault } from "../../../components/vault/sealing-vault";
import { DEFAULT_VAULT } from "../../../components/vault/vault";
import { settled, startMocks } from "../pulumi-mocks";

const TEAM = { team: "web" };

function tagged(type: string, tags = {}) {
  const transform = withTags(TEAM);
  return transform({ type, name: "x", props: { tags }, opts: {}, resource: {} as never })?.props.tags;
}

it.each(kinds.map(({ token }) => token))("tags %s if Azure's own model of it takes tags, and only then", (token) => {
  const kind = kinds.find((known) => known.token === token);
  const takes = kind !== undefined && membersOf(kind, "request").tags !== undefined;
  expect(tagged(token)).toEqual(takes ? TEAM : undefined);
});

it("tags a component's resources in anybody's program, and nothing that is not Azure's", async () => {
  const registrations = await startMocks();
  const args = { stack: "dev", location: "westeurope", production: false, ...DEFAULT_VAULT };
  new SealingVault("vault", args, { transformations: [withTags(TEAM)] });
  await settled();
  const names = registrations.filter(({ inputs }) => inputs.tags !== undefined).map(({ name }) => name);
  expect(names.sort()).toEqual(["vault-group", "vault-identity", "vault-key", "vault-vault"]);
});

it("leaves a resource's own tag as it is", () => {
  expect(tagged("azure-native:keyvault:Vault", { team: "ops", more: "1" })).toEqual({ team: "ops", more: "1" });
});
