import { type handleUnaryCall, Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { connectEngineLog, type EngineLog } from "./engine-log";
import { failure } from "./grpc-messages";
import { methodsOf } from "./grpc-methods";
import type { ResourceProvider } from "./provider";

/** A provider that waits for an engine. */
export interface ServedProvider {
  package: string;
  port: number;
  close(): Promise<void>;
}

type Method = (request: never, gone: AbortSignal) => Promise<unknown>;

/** Who asked may be gone before it is answered, as an engine that was killed. grpc-js says `cancelled` after each answer, too. */
function unary(method: Method): handleUnaryCall<never, unknown> {
  return (call, callback) => {
    const gone = new AbortController();
    call.once("cancelled", () => gone.abort());
    method(call.request, gone.signal).then(
      (response) => callback(null, response),
      (error: unknown) => callback(failure(error)),
    );
  };
}

/**
 * Serves a provider to Pulumi's real engine, on a free port of 127.0.0.1. Any number of them live in one process; the
 * engine attaches to them by `PULUMI_DEBUG_PROVIDERS`.
 */
export async function serveProvider(provider: ResourceProvider): Promise<ServedProvider> {
  const logs = new Set<EngineLog>();
  let log: EngineLog | undefined;
  async function attach(request: PluginAttach): Promise<Empty> {
    log = connectEngineLog(request.getAddress());
    logs.add(log);
    return new Empty();
  }
  provider.onLog?.((urn, line) => log?.line(urn, line));
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  const methods: Record<string, Method> = { ...methodsOf(provider), attach };
  server.addService(
    ResourceProviderService,
    Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [name, unary(method)]),
    ) as UntypedServiceImplementation,
  );
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, free: number) => (error ? reject(error) : resolve(free));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  return {
    package: provider.package,
    port,
    async close() {
      for (const one of logs) one.close();
      server.forceShutdown();
    },
  };
}

/** The value of `PULUMI_DEBUG_PROVIDERS` for these. */
export function debugProviders(served: readonly ServedProvider[]): string {
  return served.map(({ package: name, port }) => `${name}:${port}`).join(",");
}
