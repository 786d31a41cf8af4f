import { randomUUID } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http";
import { type Answer, json, xml } from "./exchange";

/** Key Vault's and Resource Manager's form. */
export function cloudError(
  status: number,
  code: string,
  message: string,
  extra: { innerCode?: string; headers?: OutgoingHttpHeaders } = {},
): Answer {
  const innererror = extra.innerCode === undefined ? {} : { innererror: { code: extra.innerCode } };
  return { ...json(status, { error: { code, message, ...innererror } }, extra.headers), code: extra.innerCode ?? code };
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Storage's form: XML, and the code in a header besides (all that a HEAD request sees). */
export function storageError(status: number, code: string, message: string, headers: OutgoingHttpHeaders = {}): Answer {
  const id = randomUUID();
  const detail = `${escapeXml(message)}\nRequestId:${id}\nTime:${new Date().toISOString()}`;
  const text = `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${detail}</Message></Error>`;
  return { ...xml(status, text, { "x-ms-error-code": code, "x-ms-request-id": id, ...headers }), code };
}

/** Entra's form: the error's number is the `AADSTS` number that its text begins with. */
export function entraError(status: number, error: string, text: string): Answer {
  const number = /^AADSTS(\d+)/.exec(text)?.[1];
  const ids = { trace_id: randomUUID(), correlation_id: randomUUID() };
  const timestamp = new Date()
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
  const trailer = `Trace ID: ${ids.trace_id} Correlation ID: ${ids.correlation_id} Timestamp: ${timestamp}`;
  const body = {
    error,
    error_description: `${text} ${trailer}`,
    error_codes: number ? [Number(number)] : [],
    timestamp,
  };
  return { ...json(status, { ...body, ...ids }), code: number ? `AADSTS${number}` : error };
}

/** The metadata service's form for identity requests. */
export function imdsError(status: number, error: string, text: string): Answer {
  return { ...json(status, { error, error_description: text }), code: error };
}

/** An error in the form of the service that `host` belongs to: what an injected fault answers with. */
export function errorOf(host: string, status: number, code: string, message: string): Answer {
  if (host.includes(".blob.core.")) return storageError(status, code, message);
  if (/^(login|sts)\./.test(host)) return entraError(status, code, message);
  if (host === "169.254.169.254") return imdsError(status, code, message);
  return cloudError(status, code, message);
}
