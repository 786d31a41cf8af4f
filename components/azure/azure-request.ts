/** An answer of Azure, read whole. */
export interface AzureAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Undefined where the body is no JSON. */
  readonly body: unknown;
}

interface AzureRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** @default 30 s */
  readonly timeoutMs?: number;
}

/**
 * One GET request, by way of the proxy that the environment names: Node's own `fetch` of versions 20 and 22 knows of none.
 * @throws where nobody answers
 */
export async function askAzure(url: string, { headers, timeoutMs = 30_000 }: AzureRequest): Promise<AzureAnswer> {
  const { createDefaultHttpClient, createHttpHeaders, createPipelineFromOptions, createPipelineRequest } = await import(
    "@azure/core-rest-pipeline"
  );
  const request = createPipelineRequest({ url, headers: createHttpHeaders(headers), timeout: timeoutMs });
  const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 } });
  const answer = await pipeline.sendRequest(createDefaultHttpClient(), request);
  return { status: answer.status, header: (name) => answer.headers.get(name), body: parsed(answer.bodyAsText) };
}

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
