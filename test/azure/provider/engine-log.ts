import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** The engine's own log: what a provider says there shows beside its resource. */
export interface EngineLog {
  /** A line that the display shows for a moment and then forgets, as the output of a command. */
  line(urn: string, text: string): void;
  close(): void;
}

/** @param address of the engine, as `Attach` tells it */
export function connectEngineLog(address: string): EngineLog {
  const client = new EngineClient(address, credentials.createInsecure());
  return {
    line(urn, text) {
      const request = new LogRequest();
      request.setUrn(urn);
      request.setMessage(text);
      request.setSeverity(LogSeverity.INFO);
      request.setEphemeral(true);
      client.log(request, () => {}); // an engine that is gone needs no log
    },
    close: () => client.close(),
  };
}
