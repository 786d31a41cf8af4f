import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import * as statusProto from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PartialError } from "./provider";
import type { PropertyMap } from "./values";

/** A property map as protobuf has it; members without a value are left out. */
export function struct(values: PropertyMap): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, JavaScriptValue>);
}

export function unstruct(message: Struct | undefined): PropertyMap {
  return message?.toJavaScript() ?? {};
}

/** The engine takes the details of a half-made resource from a trailer of its own. */
function initFailure(error: PartialError): Metadata {
  const failure = new ErrorResourceInitFailed();
  failure.setId(error.id);
  failure.setProperties(struct(error.outputs));
  failure.setReasonsList([error.message]);
  const details = new Any();
  details.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const message = new statusProto.Status();
  message.setCode(status.UNKNOWN);
  message.setMessage(error.message);
  message.addDetails(details);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(message.serializeBinary()));
  return metadata;
}

/** What a failed call answers: the text that a user reads under the resource. */
export function failure(error: unknown): Partial<ServiceError> {
  const message = error instanceof Error ? error.message : String(error);
  const metadata = error instanceof PartialError ? initFailure(error) : new Metadata();
  return { code: status.UNKNOWN, message, details: message, metadata };
}
