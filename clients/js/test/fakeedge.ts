import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { Transport } from "../src/session/rotation.js";
import { at } from "./world.js";

export interface Connected {
  transport: Transport;
  token: string;
  data: { device: string; showing: string[] };
  push(data: unknown): void;
  /** Closes the connection with a code, or drops it without one. */
  end(code?: number, reason?: string): void;
}

interface Command {
  id?: number;
  connect?: { token?: string; data?: Connected["data"] };
  rpc?: { method: string; data: unknown };
  refresh?: { token: string };
}

/**
 * Speaks the centrifuge protocol in JSON as an edge does, over all three transports, under control of the test. It does
 * not prove that the client fits a real edge. The scenario against a `ringline` process does.
 */
export class FakeEdge {
  readonly connected: Connected[] = [];
  readonly urls: string[] = [];
  /** The transports that are down: their sockets are dropped. */
  down = new Set<Transport>();
  /** Returns the refusal of a connect command, if any: an error below 3000, else a disconnect. */
  refuse: (token: string) => { code: number; reason: string; temporary?: boolean } | undefined = () => undefined;
  onRPC: (method: string, data: unknown) => Promise<unknown> = (method, data) => Promise.resolve({ ok: true, method, data });
  ttl: number | undefined;
  /** The seconds between its pings, and whether it sends them. */
  ping = 25;
  pings = false;
  refreshed: string[] = [];

  /** What its snapshots contain. */
  snapshot: object = {};

  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly http = createServer((q, r) => void this.posted(q, r));
  private readonly sockets = new Set<Socket>();
  private readonly emulated = new Map<string, (command: Command) => void>();

  async start(port = 0): Promise<this> {
    const ws = new WebSocketServer({ noServer: true });
    this.http.on("connection", (s) => this.sockets.add(s.on("close", () => this.sockets.delete(s))));
    this.http.on("upgrade", (q, socket, head) => {
      this.urls.push(q.url ?? "");
      if (this.down.has("websocket")) return void socket.destroy();
      ws.handleUpgrade(q, socket, head, (peer) => {
        const end = (code?: number, reason?: string) => (code ? peer.close(code, reason) : peer.terminate());
        const serve = this.server("websocket", (reply) => peer.send(JSON.stringify(reply)), end);
        peer.on("message", (frame) => lines(String(frame)).forEach(serve));
      });
    });
    await new Promise<void>((resolve) => this.http.listen(port, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Stops as a killed process does. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.http.close(resolve));
    for (const s of this.sockets) s.destroy();
    for (const timer of this.timers) clearInterval(timer);
    await closed;
  }

  async next(count = this.connected.length + 1): Promise<Connected> {
    for (let i = 0; this.connected.length < count; i++) {
      if (i > 1000) throw new Error(`only ${this.connected.length} connections`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.connected[count - 1]!;
  }

  private server(transport: Transport, send: (reply: object) => void, end: Connected["end"]): (c: Command) => void {
    return (c) => {
      if (c.connect) {
        const token = c.connect.token ?? "";
        const no = this.refuse(token);
        if (no && no.code >= 3000) return transport === "websocket" ? end(no.code, no.reason) : send({ push: { disconnect: no } });
        if (no) return send({ id: c.id, error: { code: no.code, message: no.reason, temporary: no.temporary } });
        const data = c.connect.data ?? { device: "", showing: [] };
        const session = `s${Math.random()}`;
        this.emulated.set(session, this.server(transport, send, end));
        const expiry = this.ttl === undefined ? {} : { expires: true, ttl: this.ttl };
        const snapshot = { server_time: at(0), user_id: "ann", device_id: data.device, calls: [] };
        send({ id: c.id, connect: { client: session, session, node: "n", data: { ...snapshot, ...this.snapshot }, ping: this.ping, ...expiry } });
        if (this.pings) this.timers.add(setInterval(() => send({}), this.ping * 1000));
        this.connected.push({ transport, token, data, push: (d) => send({ push: { message: { data: d } } }), end });
      } else if (c.rpc) {
        void this.onRPC(c.rpc.method, c.rpc.data).then((data) => send({ id: c.id, rpc: { data } }));
      } else if (c.refresh) {
        this.refreshed.push(c.refresh.token);
        send({ id: c.id, refresh: { client: "x", expires: true, ttl: 3600 } });
      }
    };
  }

  private async posted(q: IncomingMessage, r: ServerResponse): Promise<void> {
    this.urls.push(q.url ?? "");
    let body = "";
    for await (const chunk of q) body += String(chunk);
    if (q.url === "/emulation") {
      const { session, data } = JSON.parse(body) as { session: string; data: string };
      lines(data).forEach((c) => this.emulated.get(session)?.(c));
      r.writeHead(204).end();
      return;
    }
    const transport = q.url === "/connection/sse" ? "sse" : "http_stream";
    if (q.method !== "POST" || this.down.has(transport)) return void q.socket.destroy();
    r.writeHead(200, { "Content-Type": transport === "sse" ? "text/event-stream" : "application/json" });
    const write = (reply: object) => r.write(transport === "sse" ? `data: ${JSON.stringify(reply)}\n\n` : `${JSON.stringify(reply)}\n`);
    const serve = this.server(transport, write, (code, reason) => {
      if (code) write({ push: { disconnect: { code, reason } } });
      r.end();
    });
    lines(body).forEach(serve);
  }
}

function lines(text: string): Command[] {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Command);
}
