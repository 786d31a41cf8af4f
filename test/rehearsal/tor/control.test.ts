import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectToControl } from "./control";

let directory = "";
let server: net.Server;
let tor: net.Socket | undefined;
const received: string[] = [];

/** A control port that answers each command from a table; `tor` is its end of the connection. */
beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "tor-control-"));
  received.length = 0;
  const answers: Record<string, string> = {
    AUTHENTICATE: "250 OK\r\n",
    "GETINFO one": "250-one=1\r\n250 OK\r\n",
    "GETINFO many": "250+many=\r\nfirst\r\n..dotted\r\n250 no reply\r\n.\r\n250 OK\r\n",
    "SETCONF x": "513 Unacceptable option value\r\n",
  };
  server = net.createServer((socket) => {
    tor = socket.setEncoding("latin1");
    socket.on("data", (text) => {
      for (const command of String(text).split("\r\n").filter(Boolean)) {
        received.push(command);
        socket.write(answers[command] ?? "");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(directory, "socket"), resolve));
});

afterEach(() => {
  tor?.destroy();
  server.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

const connect = () => connectToControl(path.join(directory, "socket"), Date.now() + 5_000);

test("authenticates, then gives each command its reply, in order", async () => {
  const control = await connect();
  const replies = await Promise.all([control.ask("GETINFO one"), control.ask("GETINFO many")]);
  expect(received).toEqual(["AUTHENTICATE", "GETINFO one", "GETINFO many"]);
  expect(replies).toEqual(["one=1\nOK", "many=\nfirst\n.dotted\n250 no reply\nOK"]);
  control.close();
});

test("a refusal is an error with tor's words, and the next command goes on", async () => {
  const control = await connect();
  await expect(control.ask("SETCONF x")).rejects.toThrow(
    new Error("tor's control port answered 513 Unacceptable option value"),
  );
  expect(await control.ask("GETINFO one")).toBe("one=1\nOK");
  control.close();
});

test("an event reaches who waits for it, also between the parts of a reply and cut in pieces", async () => {
  const control = await connect();
  const event = control.event((text) => text.startsWith("HS_DESC UPLOADED abc"), 5_000);
  tor?.write("650 HS_DESC UPLOAD abc\r\n650 HS_DE");
  tor?.write("SC UPLOADED abc NO_AUTH\r\n");
  expect(await event).toBe("HS_DESC UPLOADED abc NO_AUTH");
  control.close();
});

test("waiting for an event ends at its deadline", async () => {
  const control = await connect();
  await expect(control.event(() => true, 20)).rejects.toThrow("no such tor event within 20 ms");
  control.close();
});

test("what is asked or awaited when tor goes away is an error", async () => {
  const control = await connect();
  const [answer, event] = [control.ask("GETINFO nothing"), control.event(() => true, 5_000)];
  tor?.destroy();
  await expect(answer).rejects.toThrow("tor closed its control connection");
  await expect(event).rejects.toThrow("tor closed its control connection");
  await expect(control.ask("GETINFO one")).rejects.toThrow("tor closed its control connection");
});

test("a socket that does not come is an error with its path, after the deadline", async () => {
  const missing = path.join(directory, "missing");
  await expect(connectToControl(missing, Date.now() + 50)).rejects.toThrow(
    `no answer on tor's control socket ${missing}`,
  );
});
