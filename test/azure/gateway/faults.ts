import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { errorOf } from "./error-answers";
import { type Exchange, send } from "./exchange";

/** What an injected fault does to a request. */
export type FaultEffect =
  /** Answers in the service's own form in place of it. */
  | {
      kind: "answer";
      status: number;
      code?: string;
      message?: string;
      /** Whole body, in place of the service's form. */
      body?: string;
      headers?: Record<string, string>;
      retryAfterSeconds?: number;
    }
  /** Cuts the connection, at once or after so many bytes of the request's body: the work is not done. */
  | { kind: "reset"; afterRequestBytes?: number }
  /** The service does the work, and the connection is cut before its answer. */
  | { kind: "loseAnswer" }
  /** Goes on after a while; other rules may follow. */
  | { kind: "delay"; milliseconds: number }
  /** Never answers. */
  | { kind: "hang" }
  /** No connection to the host can be made: the proxy says 502. Only `host` and `via` select it. */
  | { kind: "unreachable" };

/** Selects requests; all given conditions hold together. */
export interface FaultRule {
  /** Exact host name, `.suffix`, or an expression. */
  host?: string | RegExp;
  /** Beginning of the path, or an expression over path and query. */
  path?: string | RegExp;
  method?: string;
  /** `workstation` or a machine's resource id. */
  via?: string;
  /** Lets the first so many matching requests pass. */
  skip?: number;
  /** Of the rest meets each Nth only. */
  every?: number;
  /** Ends after so many hits. */
  times?: number;
  effect: FaultEffect;
}

export interface Fault {
  /** How many requests it met. */
  readonly hits: number;
  remove(): void;
}

export interface Faults {
  add(rule: FaultRule): Fault;
  clear(): void;
}

interface Aim {
  host: string;
  via: string;
  method?: string;
  path?: string;
}

export interface FaultInjector extends Faults {
  /** Whether a connection to this host is refused. */
  refuses(host: string, via: string): boolean;
  /** Does what the rules say; false where the request is thereby over. */
  apply(exchange: Exchange): Promise<boolean>;
}

function textMatches(wanted: string | RegExp | undefined, value: string, plain: (wanted: string) => boolean): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? plain(wanted) : wanted.test(value);
}

function aims(rule: FaultRule, at: Aim): boolean {
  const { host, path = "" } = at;
  if (!textMatches(rule.host, host, (text) => (text.startsWith(".") ? host.endsWith(text) : host === text)))
    return false;
  if (rule.via !== undefined && rule.via.toLowerCase() !== at.via.toLowerCase()) return false;
  if (rule.method !== undefined && rule.method.toUpperCase() !== at.method) return false;
  return textMatches(rule.path, path, (text) => path.startsWith(text));
}

/** Counts a match and says whether the rule's `skip`, `every` and `times` let it act. */
function takesTurn(rule: FaultRule, count: { seen: number; hits: number }): boolean {
  if (rule.times !== undefined && count.hits >= rule.times) return false;
  count.seen += 1;
  const turn = count.seen - (rule.skip ?? 0);
  if (turn <= 0 || turn % (rule.every ?? 1) !== 0) return false;
  count.hits += 1;
  return true;
}

function cut(exchange: Exchange, why: string): void {
  exchange.record.status = 0;
  exchange.record.failure = why;
  exchange.request.socket.destroy();
}

/** Passes the body on and cuts the connection after `limit` bytes. */
function cutting(exchange: Exchange, limit: number): void {
  let seen = 0;
  exchange.body = exchange.body.pipe(
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        seen += chunk.length;
        if (seen < limit) return done(null, chunk);
        cut(exchange, `connection cut after ${seen} bytes of the request`);
        done(new Error("connection cut by an injected fault"));
      },
    }),
  );
}

/** Lets the service finish, then cuts in place of the first byte of its answer. */
function losingAnswer(exchange: Exchange): void {
  exchange.response.writeHead = (status: number) => {
    cut(exchange, `answer ${status} lost`);
    return exchange.response;
  };
}

function answerWith(exchange: Exchange, effect: FaultEffect & { kind: "answer" }): void {
  const code = effect.code ?? "InjectedFault";
  const answer = errorOf(exchange.host, effect.status, code, effect.message ?? `injected fault ${effect.status}`);
  const retry = effect.retryAfterSeconds === undefined ? {} : { "retry-after": String(effect.retryAfterSeconds) };
  const plain = effect.body === undefined ? {} : { "content-type": "text/plain; charset=utf-8" };
  const headers = { ...answer.headers, ...plain, ...retry, ...effect.headers };
  exchange.request.resume();
  send(exchange, { ...answer, headers, ...(effect.body !== undefined && { body: effect.body }) });
}

/** True where the request goes on. */
async function act(exchange: Exchange, effect: FaultEffect): Promise<boolean> {
  exchange.record.fault = effect.kind;
  if (effect.kind === "delay") await sleep(effect.milliseconds);
  else if (effect.kind === "answer") answerWith(exchange, effect);
  else if (effect.kind === "loseAnswer") losingAnswer(exchange);
  else if (effect.kind === "reset" && effect.afterRequestBytes === undefined) cut(exchange, "connection cut");
  else if (effect.kind === "reset") cutting(exchange, effect.afterRequestBytes ?? 0);
  return effect.kind === "delay" || effect.kind === "loseAnswer" || exchange.body !== exchange.request;
}

export function createFaults(): FaultInjector {
  const rules = new Map<FaultRule, { seen: number; hits: number }>();

  /** Asked rule by rule, just before it acts: one that an earlier rule leaves no request for has not had its turn. */
  function isDue(rule: FaultRule, count: { seen: number; hits: number }, at: Aim, connecting: boolean): boolean {
    return (rule.effect.kind === "unreachable") === connecting && aims(rule, at) && takesTurn(rule, count);
  }

  return {
    add(wanted) {
      const rule = { ...wanted };
      const count = { seen: 0, hits: 0 };
      rules.set(rule, count);
      return {
        get hits() {
          return count.hits;
        },
        remove: () => void rules.delete(rule),
      };
    },
    clear: () => rules.clear(),
    refuses: (host, via) => [...rules].some(([rule, count]) => isDue(rule, count, { host, via }, true)),
    async apply(exchange) {
      const { host, url, record } = exchange;
      const at = { host, via: record.via, method: record.method, path: url.pathname + url.search };
      for (const [rule, count] of rules) {
        if (isDue(rule, count, at, false) && !(await act(exchange, rule.effect))) return false;
      }
      return true;
    },
  };
}
