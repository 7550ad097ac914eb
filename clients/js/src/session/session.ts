import { Centrifuge } from "centrifuge";
import type { ConnectionState } from "../api/callbacks.js";
import { RinglineError, messageOf } from "../api/error.js";
import { version } from "../api/version.js";
import type { Clock } from "../platform/clock.js";
import { eventSourceOver } from "./eventsource.js";
import { Outage } from "./outage.js";
import { PageLife } from "./pagelife.js";
import { whyNoConnection } from "./reach.js";
import { Rotation, type Address, type Transport } from "./rotation.js";
import { emulationOf, endpointOf } from "./servers.js";
import { tokenError, type Tokens } from "./tokens.js";
import { Wake } from "./wake.js";

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
  /** The page goes away, so that its socket will close, or comes back. */
  onAway(away: boolean): void;
  /** Another page has taken this device's id. Resolves once `connectData` has another one. */
  newDevice(): Promise<void>;
}

export interface SessionOptions {
  servers: readonly string[];
  transports: readonly Transport[];
  tokens: Tokens;
  clock: Clock;
  webSocket: unknown;
  fetch: typeof globalThis.fetch | undefined;
  networkEventTarget: EventTarget | undefined;
  /** After this many milliseconds without a connection, the cause is reported. 0: never. */
  connectTimeout: number;
}

/** A request was not answered. It may be sent again. */
export class Lost extends Error {}

/** The time limits of a connection attempt and of a request. The server waits 8 s for a coordinator's answer. */
const attemptTimeout = 5_000;
const requestTimeout = 10_000;
/** How late a ping of the server may be before the connection counts as dead. */
const maxPingDelay = 4_000;
/** A device id that is taken a second time within this time ends the session, so that two pages don't chase each other. */
const chase = 600_000;
/** For this long after an attempt was given up, its connect command may still arrive and look like another page's. */
const straggles = 60_000;

// centrifuge's codes.
const connectCalled = 0;
const unavailable = 100;
const tokenExpired = 109;
const sessionExpired = 3005;
// Ringline's codes.
const tooManyBefore = 3504; // of older edges
const tooMany = 4004;
const otherSession = 4501;

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
  private replacedAt = -Infinity;
  private givenUpAt = -Infinity; // the last attempt that did not connect
  private sparedAt = -Infinity; // the last time that it kept its device id although another session had it
  private readonly network: EventTarget | undefined;
  private readonly onNetwork = (): void => this.retryNow();
  private readonly outage: Outage;
  private readonly wake: Wake;
  private readonly page: PageLife;

  constructor(
    private readonly options: SessionOptions,
    private readonly listener: SessionListener,
  ) {
    this.rotation = new Rotation(options.servers, usable(options));
    const { servers, clock, connectTimeout, fetch, networkEventTarget: platform } = options;
    this.network = platform ?? (typeof addEventListener === "function" ? globalThis : undefined);
    const report = (error: RinglineError): void => listener.onError(error);
    this.outage = new Outage(servers, clock, connectTimeout, (server) => whyNoConnection(server, fetch, clock), report);
    this.wake = new Wake(clock, () => this.reconnect());
    const onLook = (wasFrozen: boolean): void => {
      if (this.wake.woke() || wasFrozen) this.reconnect();
      this.retryNow();
    };
    this.page = new PageLife({ onAway: () => listener.onAway(true), onBack: () => listener.onAway(false), onLook }, platform);
  }

  open(): void {
    if (this.state !== "disconnected") return;
    this.state = "connecting";
    this.network?.addEventListener("online", this.onNetwork);
    this.network?.addEventListener("pageshow", this.onNetwork);
    this.page.start(); // before centrifuge listens: it closes the socket in `pagehide`
    this.outage.begin();
    this.next();
  }

  close(): void {
    this.stop();
    this.state = "disconnected";
    this.outage.end(false);
    this.page.stop();
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
    const { address, pause, roundOver } = this.rotation.next();
    const attemptID = ++this.attemptID;
    if (roundOver) void this.outage.failed(true);
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
      return this.outage.tell(tokenError(error)); // last, because the listener may close the session
    }
    if (this.attemptID !== attemptID) return;
    this.isNewToken = tokens.isNew(token);
    this.centrifuge = this.dial(address, token, attemptID);
    this.stopTimer = clock.after(attemptTimeout, () => this.failed(false));
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
      maxServerPingDelay: maxPingDelay,
      emulationEndpoint: emulationOf(address),
      ...(webSocket ? { websocket: webSocket } : {}),
      ...(fetch ? { fetch, eventsource: eventSourceOver(fetch) } : {}),
      ...(networkEventTarget ? { networkEventTarget } : {}),
    });
    const closed = watchCode(centrifuge);
    const ifCurrent = <T>(f: (ctx: T) => void) => (ctx: T) => {
      if (this.attemptID === attemptID) f(ctx);
    };
    centrifuge.on("connected", ifCurrent(({ data }) => this.connected(data)));
    centrifuge.on("message", ifCurrent(({ data }) => this.received(data)));
    centrifuge.on("connecting", ifCurrent(({ code, reason }) => this.connectionLost(code, reason, used)));
    centrifuge.on("disconnected", ifCurrent(({ code, reason }) => this.disconnected(code, reason, used)));
    centrifuge.on("error", ifCurrent(({ type, error }) => this.connectionError(type, error, used, closed)));
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
    this.outage.end(true);
    this.wake.start();
    this.listener.onOpen(data);
  }

  /** After a gap this may be old, and the connection dead. The snapshot of a new one is not. */
  private received(data: unknown): void {
    if (this.wake.woke()) this.reconnect();
    else this.listener.onPush(data);
  }

  /** Connects again, because the connection may be dead without a sign. */
  private reconnect(): void {
    if (this.state !== "connected") return;
    this.failed(false);
    this.retryNow();
  }

  /** centrifuge lost its connection, and would reconnect by itself. */
  private connectionLost(code: number, reason: string, token: string): void {
    if (code === connectCalled) return;
    if (code === tooMany) return this.crowded(reason);
    if (code === sessionExpired) this.options.tokens.expired(token);
    this.failed(false);
  }

  /** The user has too many sessions. Some may be dead, and the server has not noticed yet. */
  private crowded(reason: string): void {
    this.failed(true);
    this.outage.tell(new RinglineError("rate_limited", `too many sessions of this user (${reason}); the client keeps trying`));
  }

  private connectionError(type: string, error: { code: number; message: string }, token: string, closed: Closed): void {
    if (type !== "transport" && type !== "connect") return; // from a token refresh, which is retried
    if (closed.code === tooMany) return this.crowded(closed.reason);
    if (error.code === tokenExpired) return this.expired(token);
    this.failed(error.code >= unavailable);
    if (error.code >= unavailable) this.outage.because(new RinglineError("unavailable", `the server accepts no session now: ${error.message}`));
  }

  /**
   * The server says that the token has expired. The session continues with another one. If that one is new and already
   * expired, the listener gets an error.
   */
  private expired(token: string): void {
    const { isNewToken } = this;
    this.options.tokens.expired(token);
    this.failed(true);
    if (isNewToken) this.outage.tell(tokenError("the server says that the new token has expired already"));
  }

  /** This attempt is over. `answered`: the server itself refused it. */
  private failed(answered: boolean): void {
    this.drop(answered);
    if (this.state === "connecting") this.next();
  }

  private drop(answered: boolean): void {
    const was = this.state;
    this.stop();
    this.state = "connecting";
    if (was === "connected") {
      const lasted = this.options.clock.now() - this.connectedAt;
      this.rotation.lost(answered ? 0 : lasted);
      this.outage.begin(lasted);
      this.listener.onDown();
    } else if (answered) this.rotation.refused();
    else void this.outage.failed(false);
  }

  /**
   * Another page has this device's id, for example a duplicated tab. This one goes on under another id. But if an
   * attempt was given up shortly before, the other session may be that one.
   */
  private replaced(reason: string): void {
    const now = this.options.clock.now();
    if (now - this.givenUpAt < straggles && now - this.sparedAt >= chase) {
      this.sparedAt = now;
      return this.failed(true);
    }
    if (now - this.replacedAt < chase) return this.refuse(refusal(otherSession, reason));
    this.replacedAt = now;
    this.drop(true);
    if (this.state !== "connecting") return; // the listener has closed the session
    const { attemptID } = this;
    this.listener.newDevice().then(
      () => this.attemptID === attemptID && this.next(),
      (error: unknown) => this.attemptID === attemptID && this.refuse(new RinglineError("internal", messageOf(error))),
    );
  }

  /** centrifuge gave up. */
  private disconnected(code: number, reason: string, token: string): void {
    if (code === tokenExpired) this.expired(token);
    else if (code === tooManyBefore) this.crowded(reason);
    else if (code === otherSession) this.replaced(reason);
    else this.refuse(refusal(code, reason));
  }

  private refuse(error: RinglineError): void {
    this.close();
    this.listener.onDown(error);
  }

  private stop(): void {
    this.attemptID++;
    this.pending = undefined;
    this.stopTimer();
    this.wake.stop();
    const { centrifuge } = this;
    if (centrifuge && this.state === "connecting") this.givenUpAt = this.options.clock.now();
    this.centrifuge = undefined;
    centrifuge?.disconnect();
  }
}

interface Closed {
  code: number;
  reason: string;
}

/**
 * The code with which a server closes a connection. If it comes before the reply to the connect command, centrifuge-js
 * reports only that the connection was closed.
 */
function watchCode(centrifuge: Centrifuge): Closed {
  const closed: Closed = { code: 0, reason: "" };
  const inner = centrifuge as unknown as { _disconnect(code: number, reason: string, reconnect: boolean): void };
  const disconnect = inner._disconnect;
  inner._disconnect = (code, reason, reconnect) => {
    Object.assign(closed, { code, reason });
    disconnect.call(centrifuge, code, reason, reconnect);
  };
  return closed;
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
    case otherSession:
      return new RinglineError("disconnected", `device: another page keeps taking this device's id; ${message}`);
    default:
      return new RinglineError("disconnected", message);
  }
}
