import * as fs from "node:fs";
import type { TokenCredential } from "@azure/core-auth";
import { tokenFromAz } from "./az-login";
import { askAzure } from "./azure-request";
import type { AzureCloud } from "./clouds";
import type { AssertionSource, Login } from "./login";
import { LoginFailure } from "./login-failure";
import { pemOfPkcs12 } from "./pkcs12";

/**
 * The one credential of a login. Account keys are never used, and no other login is tried when this one fails.
 * @throws LoginFailure where a file that it needs is missing or wrong
 */
export async function credentialOf(login: Login, cloud: AzureCloud): Promise<TokenCredential> {
  if (login.how === "az") return { getToken: (scopes) => tokenFromAz(`${scopes}`, login) };
  // A tenth of a second to load: only where a token is needed.
  const identity = await import("@azure/identity");
  const authority = { authorityHost: `https://${cloud.login}` };
  switch (login.how) {
    case "secret":
      return new identity.ClientSecretCredential(login.tenantId, login.clientId, login.secret, authority);
    case "certificate": {
      const certificate = await certificateOf(login);
      return new identity.ClientCertificateCredential(login.tenantId, login.clientId, certificate, authority);
    }
    case "oidc": {
      const assertion = () => takeAssertion(login.assertion, login.from);
      return new identity.ClientAssertionCredential(login.tenantId, login.clientId, assertion, authority);
    }
    case "managedIdentity":
      return new identity.ManagedIdentityCredential(login.clientId ? { clientId: login.clientId } : {});
    case "default":
      return new identity.DefaultAzureCredential({ ...authority, ...(login.tenantId && { tenantId: login.tenantId }) });
  }
}

async function certificateOf({ file, from, password }: Extract<Login, { how: "certificate" }>) {
  const content = readProof(file, from);
  if (!content.includes("-----BEGIN ")) return { certificate: await pemOfPkcs12(file, password ?? "", from) };
  const certificate = content.toString("utf8");
  return password === undefined ? { certificate } : { certificate, certificatePassword: password };
}

/** A new one each time where that is possible: such tokens live for minutes. */
async function takeAssertion(source: AssertionSource, from: string): Promise<string> {
  if ("token" in source) return source.token;
  if ("file" in source) return readProof(source.file, from).toString("utf8").trim();
  return requestAssertion(source);
}

/** Source: https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token */
async function requestAssertion({ url, bearer, audience }: Extract<AssertionSource, { url: string }>): Promise<string> {
  const address = new URL(url);
  address.searchParams.set("audience", audience);
  const headers = { Authorization: `Bearer ${bearer}`, Accept: "application/json" };
  const { status, body } = await askAzure(address.href, { headers });
  const { value } = (body ?? {}) as { value?: unknown };
  if (status === 200 && typeof value === "string") return value;
  const passing = status === 429 || status >= 500;
  const remedy = "check permissions: id-token in the workflow";
  throw new LoginFailure(`${address.host} gives no OIDC token (${status}): ${remedy}`, passing);
}

function readProof(file: string, from: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a folder" : "cannot be read";
    throw new LoginFailure(`${file} of ${from} ${why}: correct ${from}`, false);
  }
}
