import { howText, type Login } from "./login";

/** No token could be had. The message is one line: what happened, in the words of who said it, and what to type. */
export class LoginFailure extends Error {
  constructor(
    message: string,
    /** Whether the same login may succeed in a while. */
    readonly passing: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a credential of Azure's library threw, as one line. */
export function loginFailure(error: unknown, login: Login): LoginFailure {
  if (error instanceof LoginFailure) return error;
  const { message } = error as Error;
  const entra = /AADSTS\d+: .*?(?=\.? Trace ID|\.? Timestamp|\.?"|\r|\n|$)/.exec(message)?.[0].replace(/\.$/, "");
  if (entra !== undefined) {
    return new LoginFailure(`Entra refuses ${howText(login)}: ${entra}: ${remedyOf(login)}`, isPassing(error));
  }
  const line = message.split("\n")[0] ?? "";
  const said = (/Description: (.*?)(?= Trace ID|$)/.exec(line)?.[1] ?? line)
    .replace(/^.*?Error: /, "")
    .replace(/\.$/, "");
  const isUnreachable = isPassing(error);
  const what = isUnreachable ? "Entra cannot be reached or does not answer" : `no token by ${howText(login)}`;
  const remedy = isUnreachable ? "check the network and the proxy variables" : remedyOf(login);
  return new LoginFailure(`${what}: ${said}: ${remedy}`, isUnreachable);
}

function remedyOf(login: Login): string {
  switch (login.how) {
    case "certificate":
    case "secret":
      return `correct ${login.from}, ARM_CLIENT_ID and ARM_TENANT_ID`;
    case "oidc":
      return "correct the federated credential of the application, ARM_CLIENT_ID and ARM_TENANT_ID";
    case "managedIdentity":
      return "attach the identity to this machine, or unset ARM_USE_MSI";
    case "default":
      return "see Azure's reason, or log in with az login";
    case "az":
      return login.tenantId === undefined ? "az login" : `az login --tenant ${login.tenantId}`;
  }
}

/** Whether what a credential threw may pass by itself: no network, or a token service that is out of order. */
export function isPassing(cause: unknown): boolean {
  if (cause instanceof LoginFailure) return cause.passing;
  const { errors, message, statusCode } = cause as Error & { errors?: unknown[]; statusCode?: number };
  if (errors?.[0] !== undefined) return isPassing(errors[0]); // the later ones of a chain, as a metadata service, may not be there
  if (statusCode !== undefined && statusCode !== 400 && statusCode !== 401)
    return statusCode === 429 || statusCode >= 500;
  return PASSING.test(`${message} ${codeOf(cause)}`);
}

/** The words of MSAL, Node, the Azure CLI, and of this program about a CI system's token service. */
const PASSING = new RegExp(
  [
    /network_error|endpoints_resolution_error|temporarily_unavailable|AADSTS(?:90033|90006|90024|50196)\b/,
    /^(?!.*AADSTS).*(Error\(s\): |Trace ID: )/, // a refusal of Entra's has a number: this is a service out of order
    /fetch failed|getaddrinfo|socket hang up|\bE(CONN\w+|TIMEDOUT|NOTFOUND|AI_AGAIN|PIPE|HOSTUNREACH|NETUNREACH)\b/,
    /Max retries exceeded|NewConnectionError|NameResolutionError|Connection aborted/,
    /gives no OIDC token \((429|5\d\d)\)|[Ss]tatus code:? ?(429|5\d\d)\b|\b503\b.*Unavailable/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

function codeOf(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: string }; code?: string };
  return code ?? cause?.code ?? "";
}
