import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { struct, unstruct } from "./grpc-messages";
import { replacements } from "./property-diff";
import type { ChangeKind, CheckFailure, Diff, ResourceProvider } from "./provider";
import type { PropertyMap } from "./values";

const kinds: Record<ChangeKind, messages.PropertyDiff.Kind> = {
  add: messages.PropertyDiff.Kind.ADD,
  "add-replace": messages.PropertyDiff.Kind.ADD_REPLACE,
  delete: messages.PropertyDiff.Kind.DELETE,
  "delete-replace": messages.PropertyDiff.Kind.DELETE_REPLACE,
  update: messages.PropertyDiff.Kind.UPDATE,
  "update-replace": messages.PropertyDiff.Kind.UPDATE_REPLACE,
};

function checkFailures(failures: CheckFailure[]): messages.CheckFailure[] {
  return failures.map(({ property, reason }) => {
    const message = new messages.CheckFailure();
    message.setProperty(property);
    message.setReason(reason);
    return message;
  });
}

function diffResponse({ detailed, deleteBeforeReplace }: Diff): messages.DiffResponse {
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(Object.keys(detailed).length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setReplacesList(replacements(detailed));
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setDiffsList(Object.keys(detailed).map((path) => path.split(/[.[]/)[0] ?? path));
  response.setHasdetaileddiff(true);
  for (const [path, kind] of Object.entries(detailed)) {
    const change = new messages.PropertyDiff();
    change.setKind(kinds[kind]);
    change.setInputdiff(true);
    response.getDetaileddiffMap().set(path, change);
  }
  return response;
}

/** Configuration arrives as JSON texts or as values. */
function configOf(args: PropertyMap): Record<string, string> {
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

function isNew(olds: PropertyMap): boolean {
  return Object.keys(olds).length === 0;
}

/** The provider's methods by the names of `pulumirpc.ResourceProvider`. */
export function methodsOf(provider: ResourceProvider) {
  return {
    async check(request: messages.CheckRequest) {
      const olds = unstruct(request.getOlds());
      const { inputs, failures } = await provider.check({
        urn: request.getUrn(),
        type: request.getType(),
        name: request.getName(),
        olds: isNew(olds) ? undefined : olds,
        news: unstruct(request.getNews()),
        randomSeed: request.getRandomseed_asU8(),
      });
      const response = new messages.CheckResponse();
      response.setInputs(struct(inputs));
      response.setFailuresList(checkFailures(failures));
      return response;
    },
    async diff(request: messages.DiffRequest) {
      const diff = await provider.diff({
        id: request.getId(),
        urn: request.getUrn(),
        type: request.getType(),
        oldInputs: unstruct(request.getOldInputs()),
        oldOutputs: unstruct(request.getOlds()),
        news: unstruct(request.getNews()),
      });
      return diffResponse(diff);
    },
    async create(request: messages.CreateRequest, gone: AbortSignal) {
      const made = await provider.create({
        urn: request.getUrn(),
        type: request.getType(),
        name: request.getName(),
        inputs: unstruct(request.getProperties()),
        preview: request.getPreview(),
        gone,
      });
      const response = new messages.CreateResponse();
      response.setId(made.id);
      response.setProperties(struct(made.outputs));
      return response;
    },
    async update(request: messages.UpdateRequest, gone: AbortSignal) {
      const outputs = await provider.update({
        id: request.getId(),
        urn: request.getUrn(),
        type: request.getType(),
        name: request.getName(),
        inputs: unstruct(request.getNews()),
        oldInputs: unstruct(request.getOldInputs()),
        oldOutputs: unstruct(request.getOlds()),
        preview: request.getPreview(),
        gone,
      });
      const response = new messages.UpdateResponse();
      response.setProperties(struct(outputs));
      return response;
    },
    async read(request: messages.ReadRequest) {
      const [inputs, outputs] = [unstruct(request.getInputs()), unstruct(request.getProperties())];
      const common = { id: request.getId(), urn: request.getUrn(), type: request.getType() };
      const found = await provider.read({ ...common, inputs, outputs });
      const response = new messages.ReadResponse();
      if (found === undefined) return response; // no id: it is gone
      response.setId(request.getId());
      response.setInputs(struct(found.inputs));
      response.setProperties(struct(found.outputs));
      return response;
    },
    async delete(request: messages.DeleteRequest, gone: AbortSignal) {
      const [inputs, outputs] = [unstruct(request.getOldInputs()), unstruct(request.getProperties())];
      const common = { id: request.getId(), urn: request.getUrn(), type: request.getType() };
      await provider.delete({ ...common, inputs, outputs, gone });
      return new Empty();
    },
    async invoke(request: messages.InvokeRequest) {
      const response = new messages.InvokeResponse();
      response.setReturn(struct(await provider.invoke(request.getTok(), unstruct(request.getArgs()))));
      return response;
    },
    async configure(request: messages.ConfigureRequest) {
      provider.configure?.(configOf(unstruct(request.getArgs())));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    },
    async checkConfig(request: messages.CheckRequest) {
      const response = new messages.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    },
    diffConfig: async () => diffResponse({ detailed: {}, deleteBeforeReplace: false }),
    async getSchema() {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.package, version: provider.version }));
      return response;
    },
    async getPluginInfo() {
      const response = new PluginInfo();
      response.setVersion(provider.version);
      return response;
    },
    async cancel() {
      provider.cancel?.();
      return new Empty();
    },
  };
}
