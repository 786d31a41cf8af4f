/** An answer of Azure, read whole. */
export interface AzureAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Undefined where the body is no JSON. */
  readonly body: unknown;
  readonly text: string;
}

interface AzureRequest {
  /** @default GET */
  readonly method?: "DELETE" | "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** @default 30 s */
  readonly timeoutMs?: number;
}

/**
 * One request, by way of the proxy that the environment names: Node's own `fetch` of versions 20 and 22 knows of none.
 * @throws where nobody answers
 */
export async function askAzure(
  url: string,
  { method = "GET", headers, body, timeoutMs = 30_000 }: AzureRequest,
): Promise<AzureAnswer> {
  const { createDefaultHttpClient, createHttpHeaders, createPipelineFromOptions, createPipelineRequest } = await import(
    "@azure/core-rest-pipeline"
  );
  const request = createPipelineRequest({
    ...{ url, method, headers: createHttpHeaders(headers), timeout: timeoutMs },
    ...(body === undefined ? {} : { body }),
  });
  const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 } });
  const answer = await pipeline.sendRequest(createDefaultHttpClient(), request);
  const text = answer.bodyAsText ?? "";
  return { status: answer.status, header: (name) => answer.headers.get(name), body: parsed(text), text };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
