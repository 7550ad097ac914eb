import { Centrifuge } from "centrifuge";
import type { ConnectionState } from "../api/callbacks.js";
import { RinglineError, messageOf } from "../api/error.js";
import { version } from "../api/version.js";
import type { Clock } from "../platform/clock.js";
import { eventSourceOver } from "./eventsource.js";
import { Rotation, type Address, type Transport } from "./rotation.js";
import { emulationOf, endpointOf } from "./servers.js";
import { tokenError, type Tokens } from "./tokens.js";

/** What the client needs from a connection. Only this file uses centrifuge. */
export interface Session {
  /** Starts to connect, and reconnects by itself until it is closed or permanently refused. */
  open(): void;
  /** Releases everything: sockets and timers. */
  close(): void;
  /** Sends one request, once. Rejects with `Lost` if it may or may not have arrived. */
  request(method: string, data: object): Promise<unknown>;
}

/** Receives the events of a session. None of its methods may throw. */
export interface SessionListener {
  /** The data of the connect request, read before each attempt. */
  connectData(): object;
  /** The session is connected. `data` is the server's connect reply. */
  onOpen(data: unknown): void;
  onPush(data: unknown): void;
  /** The session is not connected. It reconnects by itself, unless there is an error. */
  onDown(refused?: RinglineError): void;
  /** An error after which the session continues. */
  onError(error: RinglineError): void;
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

/** A request was not answered. It may be sent again. */
export class Lost extends Error {}

/** The time limits of a connection attempt and of a request. The server waits 8 s for a coordinator's answer. */
const connectTimeout = 5_000;
const requestTimeout = 10_000;

// centrifuge's codes.
const connectCalled = 0;
const tokenExpired = 109;
const sessionExpired = 3005;

/**
 * A session over centrifuge-js. Each connection attempt has a Centrifuge of its own, for one server and one transport.
 * A single Centrifuge would forever reconnect to the server and transport of its first connection.
 */
export class CentrifugeSession implements Session {
  private readonly rotation: Rotation;
  private centrifuge: Centrifuge | undefined;
  private state: ConnectionState = "disconnected";
  private attemptID = 0; // counts attempts; events of an earlier one are late and ignored
  private pending: Address | undefined; // the address to try after the pause
  private connectedAt = 0;
  private isNewToken = false; // the token of this attempt was not tried before
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
      throw new RinglineError("internal", `${method}: refused by the server with code ${code}, ${message}`);
    }
  }

  /** Tries the next address, after a pause. */
  private next(): void {
    const { address, pause } = this.rotation.next();
    const attemptID = ++this.attemptID;
    this.pending = address;
    this.stopTimer = this.options.clock.after(pause, () => void this.attempt(address, attemptID));
  }

  private retryNow(): void {
    const address = this.pending;
    if (!address) return;
    this.stopTimer();
    void this.attempt(address, ++this.attemptID);
  }

  private async attempt(address: Address, attemptID: number): Promise<void> {
    this.pending = undefined;
    const { tokens, clock } = this.options;
    let token: string;
    try {
      token = await tokens.current();
    } catch (error) {
      if (this.attemptID !== attemptID) return;
      if (error instanceof RinglineError) return this.refuse(error);
      this.rotation.refused();
      this.next();
      return this.listener.onError(tokenError(error)); // last, because the listener may close the session
    }
    if (this.attemptID !== attemptID) return;
    this.isNewToken = tokens.isNew(token);
    this.centrifuge = this.dial(address, token, attemptID);
    this.stopTimer = clock.after(connectTimeout, () => this.failed(false));
    try {
      this.centrifuge.connect();
    } catch (error) {
      this.refuse(new RinglineError("disconnected", `transports: ${messageOf(error)}`));
    }
  }

  private dial(address: Address, token: string, attemptID: number): Centrifuge {
    const { webSocket, fetch, networkEventTarget } = this.options;
    let used = token;
    const centrifuge = new Centrifuge([{ transport: address.transport, endpoint: endpointOf(address) }], {
      token,
      getToken: async () => (used = await this.refresh(used)),
      data: this.listener.connectData(),
      name: "ringline-js",
      version,
      timeout: requestTimeout,
      emulationEndpoint: emulationOf(address),
      ...(webSocket ? { websocket: webSocket } : {}),
      ...(fetch ? { fetch, eventsource: eventSourceOver(fetch) } : {}),
      ...(networkEventTarget ? { networkEventTarget } : {}),
    });
    const ifCurrent = <T>(f: (ctx: T) => void) => (ctx: T) => {
      if (this.attemptID === attemptID) f(ctx);
    };
    centrifuge.on("connected", ifCurrent(({ data }) => this.connected(data)));
    centrifuge.on("message", ifCurrent(({ data }) => this.listener.onPush(data)));
    centrifuge.on("connecting", ifCurrent(({ code }) => this.connectionLost(code, used)));
    centrifuge.on("disconnected", ifCurrent(({ code, reason }) => this.disconnected(code, reason, used)));
    centrifuge.on("error", ifCurrent(({ type, error }) => this.connectionError(type, error, used)));
    return centrifuge;
  }

  /** The token expires while the session is connected. If this fails, centrifuge soon asks again. */
  private async refresh(token: string): Promise<string> {
    try {
      return await this.options.tokens.newerThan(token);
    } catch (error) {
      this.listener.onError(error instanceof RinglineError ? error : tokenError(error));
      throw error;
    }
  }

  private connected(data: unknown): void {
    this.stopTimer();
    this.state = "connected";
    this.isNewToken = false;
    this.connectedAt = this.options.clock.now();
    this.rotation.connected();
    this.listener.onOpen(data);
  }

  /** centrifuge lost its connection, and would reconnect by itself. */
  private connectionLost(code: number, token: string): void {
    if (code === connectCalled) return;
    if (code === sessionExpired) this.options.tokens.expired(token);
    this.failed(false);
  }

  private connectionError(type: string, error: { code: number; message: string }, token: string): void {
    if (type !== "transport" && type !== "connect") return; // from a token refresh, which is retried
    if (error.code === tokenExpired) return this.expired(token);
    this.failed(error.code >= 100);
  }

  /**
   * The server says that the token has expired. The session continues with another one. If that one is new and already
   * expired, the listener gets an error.
   */
  private expired(token: string): void {
    const { isNewToken } = this;
    this.options.tokens.expired(token);
    this.failed(true);
    if (isNewToken) this.listener.onError(tokenError("the server says that the new token has expired already"));
  }

  /** This attempt is over. `answered`: the server itself refused it. */
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
  private disconnected(code: number, reason: string, token: string): void {
    if (code !== tokenExpired) return this.refuse(refusal(code, reason));
    this.expired(token);
  }

  private refuse(error: RinglineError): void {
    this.close();
    this.listener.onDown(error);
  }

  private stop(): void {
    this.attemptID++;
    this.pending = undefined;
    this.stopTimer();
    const { centrifuge } = this;
    this.centrifuge = undefined;
    centrifuge?.disconnect();
  }
}

/** The transports available on this platform. */
function usable({ transports, webSocket, fetch }: SessionOptions): Transport[] {
  const list = transports.filter((t) => (t === "websocket" ? webSocket || typeof WebSocket !== "undefined" : fetch));
  if (list.length === 0) {
    throw new RinglineError("invalid_argument", `transports: this platform supports none of ${transports.join(", ")}`);
  }
  return list;
}

/** Why the server refuses this client permanently. */
function refusal(code: number, reason: string): RinglineError {
  const message = `refused by the server with code ${code}, ${reason}`;
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
