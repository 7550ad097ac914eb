import { Centrifuge } from "centrifuge";
import type { ConnectionState } from "./callbacks.js";
import type { Clock } from "./clock.js";
import { RinglineError, messageOf } from "./error.js";
import { eventSourceOver } from "./eventsource.js";
import { Rotation, type Address, type Transport } from "./rotation.js";
import { emulationOf, endpointOf } from "./servers.js";
import { tokenTrouble, type Tokens } from "./tokens.js";
import { version } from "./version.js";

/** What the client needs of a connection. This is the seam: nothing outside this file knows centrifuge. */
export interface Session {
  /** Begins to connect, and comes back by itself until it is closed or refused for good. */
  open(): void;
  /** Leaves nothing behind: no socket, no timer. */
  close(): void;
  /** Sends one request, once. Rejects with `Lost` where it may or may not have arrived. */
  request(method: string, data: object): Promise<unknown>;
}

/** Who hears of a session. None of it may throw. */
export interface SessionListener {
  /** What to say of oneself; asked before each attempt. */
  connectData(): object;
  /** It is connected; this is what the server said. */
  onOpen(data: unknown): void;
  onPush(data: unknown): void;
  /** It is not connected: it comes back by itself, or, with an error, it does not. */
  onDown(refused?: RinglineError): void;
  /** Something went wrong that it goes on after. */
  onTrouble(error: RinglineError): void;
}

export interface SessionOptions {
  servers: readonly string[];
  transports: readonly Transport[];
  tokens: Tokens;
  clock: Clock;
  webSocket: unknown;
  fetch: typeof globalThis.fetch | undefined;
  networkEventTarget: EventTarget | undefined;
}

/** A request was not answered; the same may be sent again. */
export class Lost extends Error {}

/** How long an attempt to connect may take, and a request: the server waits 8 s for the answer of a coordinator. */
const connectWithin = 5_000;
const answerWithin = 10_000;

// centrifuge's codes.
const connectCalled = 0;
const tokenExpired = 109;
const sessionExpired = 3005;

/**
 * A session over centrifuge-js. Each attempt to connect has a Centrifuge of its own, for one server and one transport:
 * by itself it would go on for ever at the server, and by the transport, that it was once connected to.
 */
export class CentrifugeSession implements Session {
  private readonly rotation: Rotation;
  private centrifuge: Centrifuge | undefined;
  private state: ConnectionState = "disconnected";
  private turn = 0; // counts attempts; what comes of an earlier one is late, and nothing to us
  private pending: Address | undefined; // where it goes once its pause is over
  private connectedAt = 0;
  private isNew = false; // the token of this attempt was not tried before
  private stopTimer = (): void => {};
  private readonly network: EventTarget | undefined;
  private readonly onNetwork = (): void => this.retryNow();

  constructor(
    private readonly options: SessionOptions,
    private readonly listener: SessionListener,
  ) {
    this.rotation = new Rotation(options.servers, usable(options));
    this.network = options.networkEventTarget ?? (typeof addEventListener === "function" ? globalThis : undefined);
  }

  open(): void {
    if (this.state !== "disconnected") return;
    this.state = "connecting";
    this.network?.addEventListener("online", this.onNetwork);
    this.network?.addEventListener("pageshow", this.onNetwork);
    this.next();
  }

  close(): void {
    this.stop();
    this.state = "disconnected";
    this.network?.removeEventListener("online", this.onNetwork);
    this.network?.removeEventListener("pageshow", this.onNetwork);
  }

  async request(method: string, data: object): Promise<unknown> {
    const { centrifuge, state } = this;
    if (!centrifuge || state !== "connected") throw new Lost("not connected");
    try {
      return (await centrifuge.rpc(method, data)).data;
    } catch (error) {
      const { code = 0, message = "", temporary = false } = error as { code?: number; message?: string; temporary?: boolean };
      if (code < 100 || temporary) throw new Lost(message);
      throw new RinglineError("internal", `${method}: the server refuses it with code ${code}, ${message}`);
    }
  }

  /** Goes to the next address, after a pause. */
  private next(): void {
    const { address, pause } = this.rotation.next();
    const turn = ++this.turn;
    this.pending = address;
    this.stopTimer = this.options.clock.after(pause, () => void this.attempt(address, turn));
  }

  private retryNow(): void {
    const address = this.pending;
    if (!address) return;
    this.stopTimer();
    void this.attempt(address, ++this.turn);
  }

  private async attempt(address: Address, turn: number): Promise<void> {
    this.pending = undefined;
    const { tokens, clock } = this.options;
    let token: string;
    try {
      token = await tokens.current();
    } catch (error) {
      if (this.turn !== turn) return;
      if (error instanceof RinglineError) return this.refused(error);
      this.rotation.refused();
      this.next();
      return this.listener.onTrouble(tokenTrouble(error)); // last, as who hears it may close
    }
    if (this.turn !== turn) return;
    this.isNew = tokens.isNew(token);
    this.centrifuge = this.dial(address, token, turn);
    this.stopTimer = clock.after(connectWithin, () => this.failed(false));
    try {
      this.centrifuge.connect();
    } catch (error) {
      this.refused(new RinglineError("disconnected", `transports: ${messageOf(error)}`));
    }
  }

  private dial(address: Address, token: string, turn: number): Centrifuge {
    const { webSocket, fetch, networkEventTarget } = this.options;
    let used = token;
    const centrifuge = new Centrifuge([{ transport: address.transport, endpoint: endpointOf(address) }], {
      token,
      getToken: async () => (used = await this.refresh(used)),
      data: this.listener.connectData(),
      name: "ringline-js",
      version,
      timeout: answerWithin,
      emulationEndpoint: emulationOf(address),
      ...(webSocket ? { websocket: webSocket } : {}),
      ...(fetch ? { fetch, eventsource: eventSourceOver(fetch) } : {}),
      ...(networkEventTarget ? { networkEventTarget } : {}),
    });
    const now = <T>(f: (ctx: T) => void) => (ctx: T) => {
      if (this.turn === turn) f(ctx);
    };
    centrifuge.on("connected", now(({ data }) => this.connected(data)));
    centrifuge.on("message", now(({ data }) => this.listener.onPush(data)));
    centrifuge.on("connecting", now(({ code }) => this.lost(code, used)));
    centrifuge.on("disconnected", now(({ code, reason }) => this.ended(code, reason, used)));
    centrifuge.on("error", now(({ type, error }) => this.trouble(type, error, used)));
    return centrifuge;
  }

  /** The token runs out while it is connected. centrifuge asks again soon where this fails. */
  private async refresh(token: string): Promise<string> {
    try {
      return await this.options.tokens.newerThan(token);
    } catch (error) {
      this.listener.onTrouble(error instanceof RinglineError ? error : tokenTrouble(error));
      throw error;
    }
  }

  private connected(data: unknown): void {
    this.stopTimer();
    this.state = "connected";
    this.isNew = false;
    this.connectedAt = this.options.clock.now();
    this.rotation.connected();
    this.listener.onOpen(data);
  }

  /** centrifuge lost its connection, and would come back by itself. */
  private lost(code: number, token: string): void {
    if (code === connectCalled) return;
    if (code === sessionExpired) this.options.tokens.expired(token);
    this.failed(false);
  }

  private trouble(type: string, error: { code: number; message: string }, token: string): void {
    if (type !== "transport" && type !== "connect") return; // of a refresh, which is tried again
    if (error.code === tokenExpired) return this.expired(token);
    this.failed(error.code >= 100);
  }

  /** The server says that the token has expired. It goes on with another; who always gives such is told. */
  private expired(token: string): void {
    const { isNew } = this;
    this.options.tokens.expired(token);
    this.failed(true);
    if (isNew) this.listener.onTrouble(tokenTrouble("the server says that the new token has expired already"));
  }

  /** This attempt is over. `answered`: the server itself said so. */
  private failed(answered: boolean): void {
    const was = this.state;
    this.stop();
    if (was === "connected") this.rotation.lost(this.options.clock.now() - this.connectedAt);
    else if (answered) this.rotation.refused();
    this.state = "connecting";
    if (was === "connected") this.listener.onDown();
    if (this.state === "connecting") this.next();
  }

  /** centrifuge gave up. */
  private ended(code: number, reason: string, token: string): void {
    if (code !== tokenExpired) return this.refused(refusal(code, reason));
    this.expired(token);
  }

  private refused(error: RinglineError): void {
    this.close();
    this.listener.onDown(error);
  }

  private stop(): void {
    this.turn++;
    this.pending = undefined;
    this.stopTimer();
    const { centrifuge } = this;
    this.centrifuge = undefined;
    centrifuge?.disconnect();
  }
}

/** The transports that this platform has. */
function usable({ transports, webSocket, fetch }: SessionOptions): Transport[] {
  const list = transports.filter((t) => (t === "websocket" ? webSocket || typeof WebSocket !== "undefined" : fetch));
  if (list.length === 0) {
    throw new RinglineError("invalid_argument", `transports: this platform has none of ${transports.join(", ")}`);
  }
  return list;
}

/** Why the server wants this client no more. */
function refusal(code: number, reason: string): RinglineError {
  const message = `the server refuses this session with code ${code}, ${reason}`;
  switch (code) {
    case 1: // centrifuge-js: no token
    case 101:
    case 103:
    case 3500:
      return new RinglineError("permission_denied", `token: ${message}`);
    case 3507:
      return new RinglineError("permission_denied", `device or origin: ${message}`);
    case 107:
    case 3501:
      return new RinglineError("invalid_argument", message);
    case 3504:
      return new RinglineError("rate_limited", message);
    default:
      return new RinglineError("disconnected", message);
  }
}
