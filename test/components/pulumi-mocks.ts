import * as pulumi from "@pulumi/pulumi";

/** A resource as the program asked the engine for it. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly urn: string;
  /** The name of the component that it belongs to. */
  readonly parent: string | undefined;
  /** Inputs as a provider gets them; a secret one is an object (see `secretValue`). */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly options: RegistrationOptions;
  /** The whole request, as it goes over the wire. */
  readonly wire: Buffer;
}

export interface RegistrationOptions {
  /** Names of the resources that it waits for, those of its inputs included. */
  readonly dependsOn: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** Undefined leaves it to the provider. */
  readonly deleteBeforeReplace: boolean | undefined;
  readonly replaceOnChanges: readonly string[];
  /** Names that the program gave as aliases. */
  readonly aliases: readonly string[];
}

export interface MockOptions {
  readonly stack?: string;
  readonly preview?: boolean;
  readonly config?: Readonly<Record<string, string>>;
  readonly secretKeys?: readonly string[];
  /** What a command prints, by the name of its resource; throwing is failing. @default "{}" */
  readonly run?: (name: string, environment: Readonly<Record<string, string>>) => string;
  /** As whom the Azure provider is signed in. */
  readonly client?: Partial<typeof CLIENT>;
}

/** A service principal of a tenant that does not exist. */
export const CLIENT = {
  clientId: "11111111-1111-4111-8111-111111111111",
  objectId: "22222222-2222-4222-8222-222222222222",
  subscriptionId: "33333333-3333-4333-8333-333333333333",
  tenantId: "44444444-4444-4444-8444-444444444444",
};

export const GROUP_ID = `/subscriptions/${CLIENT.subscriptionId}/resourceGroups/sealed-onion-dev`;
export const PRINCIPAL_ID = "55555555-5555-4555-8555-555555555555";
export const CLIENT_ID = "66666666-6666-4666-8666-666666666666";
export const FINGERPRINT_KEY = Buffer.alloc(32, 7).toString("base64");

const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The value inside of a secret input, or undefined if the input is not secret. */
export function secretValue(input: unknown): unknown {
  const isWrapped = typeof input === "object" && input !== null && SECRET_SIGNATURE in input;
  return isWrapped && "value" in input ? input.value : undefined;
}

/** Starts Pulumi's mock runtime and returns what is registered from now on, in the order of registration. */
export async function startMocks(options: MockOptions = {}): Promise<Registration[]> {
  const registrations: Registration[] = [];
  const { stack = "dev", preview = false } = options;
  await pulumi.runtime.setMocks(mocks(options), "sealed-onion", stack, preview);
  pulumi.runtime.setAllConfig({ ...options.config }, [...(options.secretKeys ?? [])]);
  record(registrations);
  return registrations;
}

/** The one resource of that name. */
export function find(registrations: readonly Registration[], name: string): Registration {
  const found = registrations.filter((registration) => registration.name === name && registration.custom);
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const names = registrations.filter(({ custom }) => custom).map((registration) => registration.name);
    throw new Error(`${found.length} resources are called ${name} among ${names.join(", ")}`);
  }
  return only;
}

/** An output's value, or why it has none; undefined where a preview cannot know it. */
export async function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  // Awaiting the output's own promise is the only way to hear of a failure.
  return (output as unknown as { promise(): Promise<T> }).promise();
}

/** Whether an output's value can be told yet; in a preview, some cannot. */
export async function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  return (output as unknown as { isKnown: Promise<boolean> }).isKnown;
}

/** Waits until nothing more is registered. */
export async function settled(): Promise<void> {
  await pulumi.runtime.disconnect();
}

function mocks({ client, preview, run }: MockOptions): pulumi.runtime.Mocks {
  return {
    call: ({ token }) => {
      if (token === "azure-native:resources:getResourceGroup") throw new Error("Status=404: there is none");
      if (token !== "azure-native:authorization:getClientConfig") throw new Error(`unexpected call of ${token}`);
      return { ...CLIENT, ...client };
    },
    newResource: ({ type, name, inputs, custom }) => {
      if (!custom) return { id: undefined, state: inputs };
      if (preview) return { id: undefined, state: inputs };
      const printed = type === "command:local:Command" ? { stdout: run?.(name, inputs.environment) ?? "{}" } : {};
      return {
        id: idOf(type, name, inputs),
        state: { ...inputs, ...OUTPUTS[type]?.(inputs), ...printed },
      };
    },
  };
}

/** What only Azure, or the random provider, could tell. */
const OUTPUTS: Readonly<Record<string, (inputs: Record<string, string>) => Record<string, unknown>>> = {
  "azure-native:keyvault:Key": ({ vaultName, keyName }) => ({
    keyUriWithVersion: `https://${vaultName}.vault.azure.net/keys/${keyName}/0123456789abcdef0123456789abcdef`,
  }),
  "azure-native:managedidentity:UserAssignedIdentity": () => ({ clientId: CLIENT_ID, principalId: PRINCIPAL_ID }),
  "random:index/randomString:RandomString": () => ({ result: "abcd1234" }),
  "random:index/randomBytes:RandomBytes": () => ({ base64: FINGERPRINT_KEY }),
};

/** The input that says what a resource is called, for those whose names others bear. */
const NAMES: Readonly<Record<string, string>> = {
  "azure-native:keyvault:Vault": "vaultName",
  "azure-native:storage:StorageAccount": "accountName",
  "azure-native:network:VirtualNetwork": "virtualNetworkName",
  "azure-native:compute:Gallery": "galleryName",
  "azure-native:compute:GalleryImage": "galleryImageName",
  "azure-native:authorization:RoleDefinition": "roleDefinitionId",
};

function idOf(type: string, name: string, inputs: Readonly<Record<string, unknown>>): string {
  if (type === "azure-native:resources:ResourceGroup") return GROUP_ID;
  return `${GROUP_ID}/${inputs[NAMES[type] ?? ""] ?? name}`;
}

/** A request of the resource monitor, as far as tests look into it. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getDependenciesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getDeletebeforereplacedefined(): boolean;
  getReplaceonchangesList(): string[];
  getAliasesList(): { getSpec(): { getName(): string } | undefined }[];
  serializeBinary(): Uint8Array;
}

interface RegisterResponse {
  getUrn(): string;
}

type Register = (request: RegisterRequest, callback: (error: unknown, response: RegisterResponse) => void) => unknown;

/** Listens at the monitor, behind the SDK: what is seen here is what an engine would see. */
function record(registrations: Registration[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Register };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response) registrations.push(registration(request, response.getUrn()));
      callback(error, response);
    });
}

function registration(request: RegisterRequest, urn: string): Registration {
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    urn,
    parent: request.getParent() === "" ? undefined : nameIn(request.getParent()),
    inputs: request.getObject()?.toJavaScript() ?? {},
    options: {
      dependsOn: request.getDependenciesList().map(nameIn).sort(),
      protect: request.getProtect(),
      retainOnDelete: request.getRetainondelete(),
      deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
      replaceOnChanges: request.getReplaceonchangesList(),
      aliases: request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() || []),
    },
    wire: Buffer.from(request.serializeBinary()),
  };
}

function nameIn(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}
