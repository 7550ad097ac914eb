import type { CallbackArgs, CallbackName, ConnectionState } from "./callbacks.js";
import { ShownCalls, type ObservableCalls } from "./calls.js";
import type { Clock } from "./clock.js";
import { Commands, type Method } from "./commands.js";
import { acquireDevice, browserStorages, type DeviceID } from "./device.js";
import { Emitter, guarded } from "./emitter.js";
import { RinglineError, messageOf } from "./error.js";
import { world, type Internals } from "./internals.js";
import {
  calleesOf,
  checkSize,
  customDataOf,
  invitationOf,
  readTransports,
  type AddOptions,
  type InviteOptions,
  type RinglineClientOptions,
} from "./options.js";
import { randomID } from "./random.js";
import { initial, reduce, showing, type Input, type State } from "./reducer.js";
import { ServerTime } from "./ringtime.js";
import { readServers } from "./servers.js";
import type { Session, SessionListener } from "./session.js";
import { callOf, type Call } from "./shapes.js";
import { tokenTrouble, Tokens, type Claims } from "./tokens.js";
import { TokenWatch } from "./tokenwatch.js";
import { readPush, readSnapshot, type WireAnswer } from "./wire.js";

/** The events of a client: the callbacks without `on`, and with a small letter after it. */
export type RinglineEvents = {
  [N in CallbackName as N extends `on${infer E}` ? Uncapitalize<E> : never]: (...args: CallbackArgs<N>) => void;
};

/** How long a command is tried, in milliseconds; an invitation as long as it would ring, if that is less. */
const commandWithin = 15_000;
const inviteWithin = 30_000;
const ringWithin = 60_000;
/** A server looks up at most so many calls for a client. */
const mostShowing = 100;

/**
 * A session of one user's device, and the calls that it shows.
 *
 * Every command resolves with the call as it then is, or rejects with a RinglineError. Commands about one call are sent
 * one after another. Those given while the connection is down are kept and sent when it is back, under the same id, so
 * that none is carried out twice; they are given up after 15 s, an invitation after its ring timeout, at most 30 s, and
 * then withdrawn, so that nothing rings for which nobody waits.
 */
export class RinglineClient {
  /** The calls that this device shows. */
  readonly calls: ObservableCalls;

  private readonly clock: Clock;
  private readonly tokens: Tokens;
  private readonly commands: Commands;
  private readonly serverTime: ServerTime;
  private readonly tokenWatch: TokenWatch;
  private readonly shown: ShownCalls;
  private readonly emitter = new Emitter<RinglineEvents>((event, error) => this.handlerFailed(event, error));
  private readonly watchers = new Emitter<{ change: unknown }>((_, error) => this.handlerFailed("", error));
  private readonly makeSession: (listener: SessionListener) => Session;

  private state: State = initial;
  private connection: ConnectionState = "disconnected";
  private session: Session | undefined;
  private device: DeviceID | undefined;
  private asked: readonly string[] = []; // the calls that the server was last told are shown
  private connecting: { promise: Promise<void>; resolve(): void; reject(error: RinglineError): void } | undefined;
  private readonly unread = new Map<string, number>(); // the calls that are being read, up to which seq
  private opened = 0; // counts connect and disconnect, so that what one of them waits for can tell that it is late
  private refusedToken = false;
  private stopTimer = (): void => {}; // of a pause before a token is asked for again

  constructor(options: RinglineClientOptions);
  /** @internal */
  constructor(options: RinglineClientOptions, internals: Internals);
  constructor(
    private readonly options: RinglineClientOptions,
    internals: Internals = world,
  ) {
    const { clock } = internals;
    this.clock = clock;
    this.tokens = new Tokens(options.token, options.getToken, clock);
    this.serverTime = new ServerTime(clock);
    this.tokenWatch = new TokenWatch(this.tokens, this.serverTime, clock, () => {
      const { onTokenWillExpire } = this.options;
      if (onTokenWillExpire) guarded(onTokenWillExpire, [], (error) => this.handlerFailed("onTokenWillExpire", error));
    });
    this.shown = new ShownCalls(() => clock.now());
    this.commands = new Commands(
      (method, data) => this.session?.request(method, data) ?? Promise.reject(new Error("not connected")),
      (answer) => this.answered(answer),
      clock,
    );
    const servers = readServers(options.server);
    const transports = readTransports(options.transports);
    this.makeSession = (listener) =>
      internals.makeSession(
        {
          servers,
          transports,
          tokens: this.tokens,
          clock,
          webSocket: options.webSocket,
          fetch: options.fetch ?? (typeof fetch === "function" ? fetch.bind(globalThis) : undefined),
          networkEventTarget: options.networkEventTarget,
        },
        listener,
      );
    const { shown, watchers } = this;
    this.calls = {
      get current() {
        return shown.current;
      },
      subscribe: (listener) => watchers.on("change", listener),
    };
  }

  get connectionState(): ConnectionState {
    return this.connection;
  }

  /** Who this is; empty before a token is there. */
  get userID(): string {
    return this.tokens.claims?.userID ?? "";
  }

  /** This device, as the server knows it; empty before the first connection. */
  get deviceID(): string {
    return this.state.deviceID;
  }

  /** Milliseconds since 1970 by the server's clock, which is the only one that counts for a call. @internal */
  serverNow(): number | undefined {
    return this.serverTime.now();
  }

  /** The user pressed a button of Ringline's own elements. @internal */
  tellPressed(name: `on${string}ButtonPressed` & CallbackName): void {
    this.emit(name, []);
  }

  /**
   * Connects, and from then on comes back by itself whenever the connection breaks. Resolves once it is connected, however
   * long that takes; rejects where the server refuses for good, or on `disconnect`.
   */
  connect(): Promise<void> {
    if (this.connecting) return this.connecting.promise;
    if (this.connection === "connected") return Promise.resolve();
    let resolve = (): void => {};
    let reject = (_: RinglineError): void => {};
    const promise = new Promise<void>((a, b) => ([resolve, reject] = [a, b]));
    this.connecting = { promise, resolve, reject };
    if (this.connection === "connecting") return promise; // it comes back by itself
    const opened = ++this.opened;
    this.become("connecting");
    if (this.opened === opened) void this.open(opened);
    return promise;
  }

  /** Ends the connection and leaves nothing behind. Commands that wait are rejected as `disconnected`; calls go on. */
  disconnect(): void {
    if (this.connection !== "disconnected") this.close(new RinglineError("disconnected", "disconnect was called"));
  }

  /** Takes a newer token of the same user, for when the present one runs out. Connects where that had ended the session. */
  renewToken(token: string): void {
    this.tokens.renew(token);
    if (this.connection === "connected") this.tokenWatch.start();
    if (this.refusedToken && this.connection === "disconnected") this.connect().catch(() => {}); // told by onError
  }

  /** Hears of an event until what it returns is called. An exception in a handler is told as `error`, and harms nothing. */
  on<E extends keyof RinglineEvents>(event: E, handler: RinglineEvents[E]): () => void {
    return this.emitter.on(event, handler);
  }

  /** Calls. Resolves once it rings, or is known not to. Where the callee was calling this user, it is the callee's call, answered. */
  async invite(options: InviteOptions): Promise<Call> {
    const { callID = randomID(), timeout = 60 } = options;
    try {
      return await this.command("invite", callID, invitationOf(options), Math.min(timeout * 1000, inviteWithin));
    } catch (error) {
      // Nobody waits for it any more, so it must not ring: the server sees to that even where it has not seen it yet.
      if (this.commands.mayBeDone(error)) this.run("cancel", callID, {}, timeout * 1000).catch(() => {});
      throw error;
    }
  }

  /** Invites more callees into the call, or some anew. For the caller while in, and callees who have accepted. */
  async add(callID: string, options: AddOptions): Promise<Call> {
    return this.command("add", callID, calleesOf(options));
  }

  /** Says that this device rings. The client does so by itself for each invitation that it shows. */
  async ring(callID: string): Promise<Call> {
    return this.command("ring", callID, this.attempt(callID));
  }

  /** Answers a call that was made to this user. */
  async accept(callID: string, options: { customData?: string } = {}): Promise<Call> {
    return this.command("accept", callID, { ...this.attempt(callID), ...customDataOf(options.customData) });
  }

  /** Declines it, or says that one is busy. */
  async decline(callID: string, options: { reason?: "declined" | "busy"; customData?: string } = {}): Promise<Call> {
    const reason = options.reason ? { reason: options.reason } : {};
    return this.command("decline", callID, { ...this.attempt(callID), ...reason, ...customDataOf(options.customData) });
  }

  /** Withdraws the invitation of those named, or of all who pend and whom this user may cancel. */
  async cancel(callID: string, options: { callees?: readonly string[]; customData?: string } = {}): Promise<Call> {
    const callees = options.callees?.length ? { callees: options.callees } : {};
    return this.command("cancel", callID, { ...callees, ...customDataOf(options.customData) });
  }

  /** Leaves the call, which goes on for the others; before anybody has answered, the caller so cancels it. */
  async leave(callID: string, options: { customData?: string } = {}): Promise<Call> {
    return this.command("leave", callID, { ...this.attempt(callID), ...customDataOf(options.customData) });
  }

  /** Ends the call for everybody. For the caller. */
  async end(callID: string, options: { customData?: string } = {}): Promise<Call> {
    return this.command("end", callID, customDataOf(options.customData));
  }

  /** The call as it is now. For who takes part in it. */
  async get(callID: string): Promise<Call> {
    return this.command("get", callID, {});
  }

  /** The ids of the calls that this user is in, on whatever device. */
  async line(): Promise<string[]> {
    return (await this.run("line", "", {}, commandWithin)).calls ?? [];
  }

  private async command(method: Method, callID: string, fields: object, withinMs = commandWithin): Promise<Call> {
    const { call } = await this.run(method, callID, fields, withinMs);
    if (!call) throw new RinglineError("internal", `${method}: the answer has no call`, callID);
    return callOf(call);
  }

  private async run(method: Method, callID: string, fields: object, withinMs: number): Promise<WireAnswer> {
    if (this.connection === "disconnected") {
      throw new RinglineError("disconnected", `${method}: not connected; call connect first`, callID);
    }
    checkSize(fields);
    return this.commands.run(method, callID, fields, withinMs);
  }

  /** The attempt that this user saw; the server refuses what was meant for an earlier one. */
  private attempt(callID: string): object {
    const call = this.state.calls.get(callID)?.call;
    const attempt = call?.callees.find((x) => x.user_id === this.state.userID)?.attempt;
    return attempt === undefined ? {} : { attempt };
  }

  private async open(opened: number): Promise<void> {
    try {
      const claims = await this.firstToken(opened);
      if (!claims || this.opened !== opened) return;
      const { storage, device } = this.options;
      const storages = storage === null ? {} : (storage ?? browserStorages());
      const acquired = this.device ?? (await acquireDevice(claims, device, storages, this.clock));
      if (this.opened !== opened) return acquired.release();
      this.device = acquired;
      this.session = this.makeSession(this.listener);
      this.session.open();
    } catch (error) {
      if (this.opened !== opened) return;
      this.refused(error instanceof RinglineError ? error : new RinglineError("internal", messageOf(error)));
    }
  }

  /** What the token says of the device is needed before anything else. */
  private async firstToken(opened: number): Promise<Claims | undefined> {
    for (let pause = 500; ; pause = Math.min(20_000, 2 * pause)) {
      try {
        await this.tokens.current();
        return this.tokens.claims;
      } catch (error) {
        if (error instanceof RinglineError) throw error;
        if (this.opened === opened) this.report(tokenTrouble(error));
      }
      if (this.opened !== opened) return undefined; // a callback may have ended it, too
      await new Promise<void>((resolve) => (this.stopTimer = this.clock.after(pause, resolve)));
    }
  }

  private readonly listener: SessionListener = {
    connectData: () => {
      this.asked = showing(this.state).slice(-mostShowing);
      return { device: this.device?.id ?? "", showing: this.asked };
    },
    onOpen: (data) => this.onOpen(data),
    onPush: (data) => this.onPush(data),
    onTrouble: (error) => this.report(error),
    onDown: (refused) => {
      if (refused) return this.refused(refused);
      this.commands.down();
      this.become("connecting");
    },
  };

  private onOpen(data: unknown): void {
    const snapshot = readSnapshot(data);
    if (!snapshot) {
      return this.refused(new RinglineError("internal", "server: its first word can't be read; is this an edge of Ringline's?"));
    }
    this.refusedToken = false;
    this.serverTime.heard(snapshot.server_time);
    this.tokenWatch.start();
    this.become("connected");
    if (this.connectionState !== "connected") return; // a callback has ended it
    this.feed({ kind: "snapshot", snapshot, showing: this.asked, receivedAt: this.clock.now() });
    if (this.connectionState !== "connected") return;
    this.commands.up();
    this.connecting?.resolve();
    this.connecting = undefined;
  }

  private onPush(data: unknown): void {
    const push = readPush(data);
    if (!push) return this.report(new RinglineError("internal", "a push can't be read"));
    const receivedAt = this.clock.now();
    if ("snapshot" in push) {
      this.serverTime.heard(push.snapshot.server_time);
      this.feed({ kind: "snapshot", snapshot: push.snapshot, showing: push.snapshot.showing ?? [], receivedAt });
    } else {
      this.serverTime.heard(push.server_time);
      const { call } = push;
      if (call) this.feed({ kind: "notification", notification: { ...push, call }, receivedAt });
      else this.read(push.call_id, push.seq);
    }
  }

  /** A notification without its call is news only where the one with it got lost. Then the call is read, once at a time. */
  private read(callID: string, seq: number): void {
    if ((this.state.calls.get(callID)?.call.seq ?? 0) >= seq) return;
    const waits = this.unread.has(callID);
    this.unread.set(callID, Math.max(seq, this.unread.get(callID) ?? 0));
    if (waits) return;
    this.run("get", callID, {}, commandWithin).then(
      () => {
        const wanted = this.unread.get(callID) ?? 0;
        this.unread.delete(callID);
        if (wanted > seq) this.read(callID, wanted);
      },
      () => this.unread.delete(callID), // the next snapshot has it
    );
  }

  private answered({ call }: WireAnswer): void {
    if (!call || this.connection === "disconnected") return;
    const remaining = this.serverTime.remaining(call, this.state.userID);
    const input = { kind: "answer", call, receivedAt: this.clock.now() } as const;
    this.feed(remaining === undefined ? input : { ...input, ringRemainingMs: remaining });
  }

  /** The one place where calls change: the state first, then who watches it, then the callbacks, then the commands. */
  private feed(input: Input): void {
    const { opened } = this;
    const { state, callbacks, commands } = reduce(this.state, input);
    this.state = state;
    if (this.shown.take(state)) this.watchers.emit("change", [this.shown.current]);
    for (const { name, args } of callbacks) {
      if (this.opened !== opened) return; // a callback has ended it: nothing is told any more
      this.emit(name, args);
    }
    if (this.opened !== opened) return;
    for (const { callID, attempt } of commands) this.rings(callID, attempt);
  }

  private rings(callID: string, attempt: number): void {
    const remaining = this.calls.current.find((c) => c.callID === callID)?.ringRemaining() || ringWithin;
    this.run("ring", callID, { attempt }, remaining).catch((error: RinglineError) => {
      if (error.code === "invalid_argument" || error.code === "internal") this.report(error);
    });
  }

  private become(state: ConnectionState): void {
    if (this.connection === state) return;
    this.connection = state;
    this.emit("onConnectionStateChanged", [state]);
  }

  private refused(error: RinglineError): void {
    this.refusedToken = error.code === "permission_denied";
    this.close(error);
    this.report(error);
  }

  private close(error: RinglineError): void {
    this.opened++;
    this.session?.close();
    this.session = undefined;
    this.device?.release();
    this.device = undefined;
    this.stopTimer();
    this.tokens.stop();
    this.tokenWatch.stop();
    this.commands.clear(error);
    this.become("disconnected");
    this.connecting?.reject(error);
    this.connecting = undefined;
  }

  private report(error: RinglineError): void {
    const { code, message, callID } = error;
    this.emit("onError", [callID === undefined ? { code, message } : { code, message, callID }]);
  }

  private handlerFailed(event: string, error: unknown): void {
    if (event === "error") return; // it was shown, and telling it there again would not end
    this.report(new RinglineError("internal", `an exception in a handler of ${event || "calls"}: ${messageOf(error)}`));
  }

  private emit<N extends CallbackName>(name: N, args: CallbackArgs<N>): void {
    const event = (name.charAt(2).toLowerCase() + name.slice(3)) as keyof RinglineEvents;
    this.emitter.emit(event, args);
  }
}
