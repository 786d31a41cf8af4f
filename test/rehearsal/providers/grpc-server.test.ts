import { type ClientUnaryCall, credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import * as statusProto from "@pulumi/pulumi/proto/status_pb";
import { struct, unstruct } from "loopback-azure/provider/grpc-messages";
import { debugProviders, type ServedProvider, serveProvider } from "loopback-azure/provider/grpc-server";
import { PartialError, type ResourceProvider } from "loopback-azure/provider/provider";
import { plainMap, secret } from "loopback-azure/provider/values";
import { afterEach, describe, expect, it } from "vitest";
import { simulatedRandom } from "./random";

const open: { served: ServedProvider; client: ResourceProviderClient }[] = [];
afterEach(async () => {
  for (const { served, client } of open.splice(0)) {
    client.close();
    await served.close();
  }
});

async function serve(provider: ResourceProvider) {
  const served = await serveProvider(provider);
  const client = new ResourceProviderClient(`127.0.0.1:${served.port}`, credentials.createInsecure());
  open.push({ served, client });
  return { served, client };
}

/** One call as a promise. */
function call<A>(start: (done: (error: ServiceError | null, answer: A) => void) => unknown): Promise<A> {
  return new Promise((resolve, reject) => start((error, answer) => (error ? reject(error) : resolve(answer))));
}

const type = "random:index/randomBytes:RandomBytes";
const urn = `urn:pulumi:dev::demo::${type}::it`;

function creation(length: number, preview = false): messages.CreateRequest {
  const request = new messages.CreateRequest();
  request.setUrn(urn);
  request.setType(type);
  request.setName("it");
  request.setProperties(struct({ length }));
  request.setPreview(preview);
  return request;
}

describe("a provider over gRPC", () => {
  it("creates, and keeps secrets secret on the way", async () => {
    const { client } = await serve(simulatedRandom());
    const answer = await call<messages.CreateResponse>((done) => client.create(creation(4), done));
    const outputs = unstruct(answer.getProperties());
    expect(outputs.hex).toEqual(secret(plainMap(outputs).hex));
    expect(answer.getId()).toBe(plainMap(outputs).base64);
  });

  it("tells failures of a check by property, and the kinds of a diff by path", async () => {
    const { client } = await serve(simulatedRandom());
    const check = new messages.CheckRequest();
    check.setUrn(urn);
    check.setType(type);
    check.setNews(struct({ size: 1 }));
    const failures = (await call<messages.CheckResponse>((done) => client.check(check, done))).getFailuresList();
    expect(failures.map((failure) => [failure.getProperty(), failure.getReason()])).toEqual([
      ["length", "missing required property 'length'"],
      ["size", "unknown property 'size'"],
    ]);
    const diff = new messages.DiffRequest();
    diff.setUrn(urn);
    diff.setType(type);
    diff.setOldInputs(struct({ length: 1 }));
    diff.setNews(struct({ length: 2 }));
    const answer = await call<messages.DiffResponse>((done) => client.diff(diff, done));
    expect(answer.getChanges()).toBe(messages.DiffResponse.DiffChanges.DIFF_SOME);
    expect(answer.getReplacesList()).toEqual(["length"]);
    expect(answer.getDetaileddiffMap().get("length")?.getKind()).toBe(messages.PropertyDiff.Kind.UPDATE_REPLACE);
  });

  it("passes an error's text on, and what was half made beside it", async () => {
    const broken: ResourceProvider = {
      ...simulatedRandom(),
      create: async () => Promise.reject(new PartialError("not well", "id1", { a: 1 })),
      delete: async () => Promise.reject(new Error("not now")),
    };
    const { client } = await serve(broken);
    const error = await call<messages.CreateResponse>((done) => client.create(creation(4), done)).then(
      () => undefined,
      (thrown: ServiceError) => thrown,
    );
    if (error === undefined) throw new Error("it did not fail");
    expect(error.details).toBe("not well");
    const [trailer] = error.metadata.get("grpc-status-details-bin");
    const [detail] = statusProto.Status.deserializeBinary(trailer as Buffer).getDetailsList();
    const failure = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
    expect([failure.getId(), unstruct(failure.getProperties())]).toEqual(["id1", { a: 1 }]);
    await expect(call((done) => client.delete(new messages.DeleteRequest(), done))).rejects.toThrow("not now");
  });

  it("lets a call know that who asked is gone, and not before it has answered", async () => {
    const signals: AbortSignal[] = [];
    const waits: ResourceProvider = {
      ...simulatedRandom(),
      create: ({ gone, inputs }) => {
        if (gone) signals.push(gone);
        if (plainMap(inputs).length === 1) return Promise.resolve({ id: "id1", outputs: {} });
        return new Promise(() => {});
      },
    };
    const { client } = await serve(waits);
    await call<messages.CreateResponse>((done) => client.create(creation(1), done));
    let asked: ClientUnaryCall | undefined;
    const killed = call<messages.CreateResponse>((done) => {
      asked = client.create(creation(2), done);
    }).catch((error: ServiceError) => error.details);
    while (signals.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(signals[1]?.aborted).toBe(false);
    asked?.cancel();
    expect(await killed).toMatch(/Cancelled/);
    while (!signals[1]?.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it("answers no id for what is gone, and takes its configuration", async () => {
    let configured: unknown;
    const provider: ResourceProvider = {
      ...simulatedRandom(),
      read: async () => undefined,
      configure: (config) => {
        configured = config;
      },
    };
    const { client } = await serve(provider);
    expect((await call<messages.ReadResponse>((done) => client.read(new messages.ReadRequest(), done))).getId()).toBe(
      "",
    );
    const request = new messages.ConfigureRequest();
    request.setArgs(struct({ location: "westeurope", count: 3 }));
    const answer = await call<messages.ConfigureResponse>((done) => client.configure(request, done));
    expect(answer.getSupportspreview() && answer.getAcceptsecrets()).toBe(true);
    expect(configured).toEqual({ location: "westeurope", count: "3" });
  });

  it("lives beside others in one process, each at its own port", async () => {
    const [a, b] = [await serve(simulatedRandom()), await serve({ ...simulatedRandom(), package: "other" })];
    expect(debugProviders([a.served, b.served])).toBe(`random:${a.served.port},other:${b.served.port}`);
    expect(a.served.port).not.toBe(b.served.port);
  });
});
