import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A connection to a tor's control port. Source: https://spec.torproject.org/control-spec/ */
export interface TorControl {
  /**
   * Sends one command and returns the text of its reply: the lines without their codes, joined by "\n".
   * @throws with tor's own words if the reply is not 2yz, which means done
   */
  ask(command: string): Promise<string>;
  /**
   * The text after the code of the first asynchronous event from now on that `matches`; events are sent only for
   * kinds that `SETEVENTS` names. Rejects when the deadline passes or the connection ends.
   */
  event(matches: (text: string) => boolean, deadlineMs: number): Promise<string>;
  close(): void;
}

interface Waiter<T> {
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

interface EventWaiter extends Waiter<string> {
  matches: (text: string) => boolean;
}

/** Connects to a control socket that may not be there yet, until `deadline` (milliseconds since the epoch). */
export async function connectToControl(socketPath: string, deadline: number): Promise<TorControl> {
  for (;;) {
    try {
      const control = controlOver(await connect(socketPath));
      await control.ask("AUTHENTICATE"); // the socket's folder is 0700: being able to connect is the credential
      return control;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`no answer on tor's control socket ${socketPath}: ${String(error)}`);
      await sleep(20);
    }
  }
}

function connect(socketPath: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

function controlOver(socket: net.Socket): TorControl {
  const replies: Waiter<string>[] = [];
  const events = new Set<EventWaiter>();
  const fail = (error: Error) => {
    for (const waiter of [...replies.splice(0), ...events]) waiter.reject(error);
    events.clear();
  };
  const readReply = replyReader((code, text) => {
    if (code !== 650) return settle(replies.shift(), code, text);
    for (const waiter of events) if (waiter.matches(text)) waiter.resolve(text);
  });
  socket.setEncoding("latin1").on("data", readReply);
  socket.on("error", (cause) => fail(new Error("tor closed its control connection", { cause })));
  socket.on("close", () => fail(new Error("tor closed its control connection")));
  return {
    ask: (command) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error("tor closed its control connection"));
        replies.push({ resolve, reject });
        socket.write(`${command}\r\n`);
      }),
    event: (matches, deadlineMs) => waitForEvent(events, matches, deadlineMs),
    close: () => socket.destroy(),
  };
}

function settle(waiter: Waiter<string> | undefined, code: number, text: string): void {
  if (code >= 200 && code < 300) waiter?.resolve(text);
  else waiter?.reject(new Error(`tor's control port answered ${code} ${text}`));
}

function waitForEvent(events: Set<EventWaiter>, matches: (text: string) => boolean, deadlineMs: number) {
  let waiter: EventWaiter | undefined;
  let timer: NodeJS.Timeout | undefined;
  const event = new Promise<string>((resolve, reject) => {
    waiter = { matches, resolve, reject };
    events.add(waiter);
    timer = setTimeout(() => reject(new Error(`no such tor event within ${deadlineMs} ms`)), deadlineMs);
  }).finally(() => {
    clearTimeout(timer);
    if (waiter) events.delete(waiter);
  });
  event.catch(() => {}); // the caller that waits sees it; a connection closed before anyone waits is no crash
  return event;
}

/** Cuts the stream into replies: `250-text` and `250+text ... .` go on, `250 text` ends one. */
function replyReader(deliver: (code: number, text: string) => void): (chunk: string) => void {
  let pending = "";
  let lines: string[] = [];
  let inData = false;
  const readLine = (line: string) => {
    if (inData) {
      inData = line !== ".";
      if (inData) lines.push(line.replace(/^\.\./, "."));
      return;
    }
    lines.push(line.slice(4));
    inData = line[3] === "+";
    if (line[3] !== " ") return;
    deliver(Number(line.slice(0, 3)), lines.join("\n"));
    lines = [];
  };
  return (chunk) => {
    const parts = (pending + chunk).split("\r\n");
    pending = parts.pop() ?? "";
    for (const line of parts) readLine(line);
  };
}
