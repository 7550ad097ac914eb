import type { CallbackArgs, CallbackName, ConnectionState } from "../api/callbacks.js";
import { RinglineError, messageOf } from "../api/error.js";
import { initial, reduce, showing, without, type Frame, type Input, type State, type Step } from "../calls/reducer.js";
import { callOf, errorsOf, type AddedCall, type Call } from "../calls/shapes.js";
import { ShownCalls, type ObservableCalls } from "../calls/shown.js";
import type { Clock } from "../platform/clock.js";
import { randomID } from "../platform/random.js";
import { acquireDevice, browserStorages, type DeviceID } from "../session/device.js";
import { readServers } from "../session/servers.js";
import type { Session, SessionListener } from "../session/session.js";
import { tokenError, Tokens, type Claims } from "../session/tokens.js";
import { readPush, readSnapshot, type Reply } from "../wire/read.js";
import { Away } from "./away.js";
import { Commands } from "./commands.js";
import type { Method } from "../wire/messages.js";
import { Emitter, guarded } from "./emitter.js";
import { defaults, type Internals } from "./internals.js";
import {
  calleesOf,
  checkSize,
  customDataOf,
  invitationOf,
  readConnectTimeout,
  readTransports,
  type AddOptions,
  type InviteOptions,
  type RinglineClientOptions,
} from "./options.js";
import { Reads } from "./reads.js";
import { ServerTime } from "./servertime.js";
import { TokenWatch } from "./tokenwatch.js";

/** The events of a client: the callbacks without `on`, with a lower-case first letter. */
export type RinglineEvents = {
  [N in CallbackName as N extends `on${infer E}` ? Uncapitalize<E> : never]: (...args: CallbackArgs<N>) => void;
};

/** How long a command is retried, in milliseconds. For an invitation, the ring timeout if it is shorter. */
const commandTimeout = 15_000;
const inviteTimeout = 30_000;
const ringTimeout = 60_000;
/** The server looks up at most this many calls for a client. */
const maxShowing = 100;
/** A push that arrives later than this, in milliseconds, may invite to a call that is over. */
const maxLate = 2_000;

/**
 * A session of one device of one user, and the calls that the device shows.
 *
 * Every command resolves with the current call, or rejects with a RinglineError. Commands about one call are sent one
 * after another. Commands issued while the connection is down are kept, and sent under the same id when it is back, so
 * that none is carried out twice. A command is given up after 15 s. An invitation is given up after its ring timeout,
 * at most 30 s, and then canceled, so that nothing rings once the caller has stopped waiting.
 */
export class RinglineClient {
  /** The calls that this device shows, and those that this user is in on another device. */
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

  private state: State;
  // What a callback that disconnected left undone. The next session does it first, because the state contains it already.
  private undone: Pick<Step, "callbacks" | "commands"> = { callbacks: [], commands: [] };
  private connection: ConnectionState = "disconnected";
  private session: Session | undefined;
  private device: DeviceID | undefined;
  private listed: readonly string[] = []; // the calls listed as shown in the last connect request
  private connecting: { promise: Promise<void>; resolve(): void; reject(error: RinglineError): void } | undefined;
  private readonly away: Away;
  private readonly reads = new Reads(
    (callID) => this.state.calls.get(callID)?.call.seq ?? 0,
    (callID) => this.run("get", callID, {}, commandTimeout),
  );
  // Counts connect and disconnect, so that an asynchronous step of an earlier one can tell that it is late.
  private generation = 0;
  private refusedToken = false;
  private readonly reported = new WeakSet<RinglineError>();
  private stopTimer = (): void => {}; // cancels the pause before the next request for a token

  constructor(options: RinglineClientOptions);
  /** @internal */
  constructor(options: RinglineClientOptions, internals: Internals);
  constructor(
    private readonly options: RinglineClientOptions,
    internals: Internals = defaults,
  ) {
    const { clock, calls = initial } = internals;
    this.clock = clock;
    this.state = calls;
    this.tokens = new Tokens(options.token, options.getToken, clock);
    this.serverTime = new ServerTime(clock);
    this.tokenWatch = new TokenWatch(this.tokens, this.serverTime, clock, () => {
      const { onTokenWillExpire } = this.options;
      if (onTokenWillExpire) guarded(onTokenWillExpire, [], (error) => this.handlerFailed("onTokenWillExpire", error));
    });
    this.shown = new ShownCalls(() => clock.now());
    this.shown.take(calls);
    this.commands = new Commands(
      (method, data) => this.session?.request(method, data) ?? Promise.reject(new Error("not connected")),
      (answer, method) => this.answered(answer, method),
      clock,
    );
    const servers = readServers(options.server);
    const transports = readTransports(options.transports);
    const connectTimeout = readConnectTimeout(options.connectTimeout);
    this.away = new Away(
      () => this.calls.current.some((c) => c.phase === "active" || (c.phase === "ringing" && c.direction === "outgoing")),
      (method) => this.session?.request(method, {}) ?? Promise.reject(new Error("not connected")),
      clock,
    );
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
          connectTimeout,
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

  /** The user id; empty before there is a token. */
  get userID(): string {
    return this.tokens.claims?.userID ?? "";
  }

  /** The id of this device, as the server knows it; empty before the first connection. */
  get deviceID(): string {
    return this.state.deviceID;
  }

  /** The calls, for another client of this user that continues them. @internal */
  get knownCalls(): State {
    return this.state;
  }

  /** Milliseconds since 1970 by the server's clock, the only one that counts for a call. @internal */
  serverNow(): number | undefined {
    return this.serverTime.now();
  }

  /** Reports that the user pressed a button of Ringline's own elements. @internal */
  emitPressed(name: `on${string}ButtonPressed` & CallbackName): void {
    this.emit(name, []);
  }

  /**
   * Connects, and reconnects by itself whenever the connection breaks. It resolves once it is connected, however long
   * that takes. It rejects if the server refuses permanently, or on `disconnect`.
   */
  connect(): Promise<void> {
    if (this.connecting) return this.connecting.promise;
    if (this.connection === "connected") return Promise.resolve();
    let resolve = (): void => {};
    let reject = (_: RinglineError): void => {};
    const promise = new Promise<void>((a, b) => ([resolve, reject] = [a, b]));
    this.connecting = { promise, resolve, reject };
    if (this.connection === "connecting") return promise; // it reconnects by itself
    const generation = ++this.generation;
    this.setConnection("connecting");
    if (this.generation === generation) void this.open(generation);
    return promise;
  }

  /**
   * Ends the connection and releases everything. Pending commands reject with `disconnected`. Calls continue on the
   * server.
   */
  disconnect(): void {
    if (this.connection !== "disconnected") this.close(new RinglineError("disconnected", "disconnect was called"));
  }

  /**
   * Takes a newer token of the same user, for use when the current one expires. Reconnects if an expired token had
   * ended the session.
   */
  renewToken(token: string): void {
    this.tokens.renew(token);
    if (this.connection === "connected") this.tokenWatch.start();
    if (this.refusedToken && this.connection === "disconnected") this.connect().catch(() => {}); // onError reports it
  }

  /**
   * Calls the handler for each event until the returned function is called. An exception in a handler is reported as
   * `error` and has no other effect.
   */
  on<E extends keyof RinglineEvents>(event: E, handler: RinglineEvents[E]): () => void {
    return this.emitter.on(event, handler);
  }

  /**
   * Calls the callees. It resolves once the call rings, or is known not to ring. If the callee was calling this user at
   * the same time, the result is the callee's call, answered.
   */
  async invite(options: InviteOptions): Promise<Call> {
    const { callID = randomID(), timeout = 60 } = options;
    const fields = invitationOf(options);
    const [only, ...others] = options.callees;
    if (only && others.length === 0) this.apply({ kind: "invites", callID, callee: only.userID });
    try {
      return await this.command("invite", callID, fields, Math.min(timeout * 1000, inviteTimeout));
    } catch (error) {
      // The caller no longer waits for it, so it must not ring. The server ensures that even if the invitation arrives
      // later.
      if (this.commands.mayBeDone(error)) this.run("cancel", callID, this.seen(callID), timeout * 1000).catch(() => {});
      else this.apply({ kind: "refused", callID });
      throw error;
    }
  }

  /**
   * Invites more callees into the call, or invites some of them again. For the caller while in the call, and for
   * callees who have accepted. Callees who are in the call already, or ring, are refused, each on their own; it rejects
   * if no others are left.
   */
  async add(callID: string, options: AddOptions): Promise<AddedCall> {
    const answer = await this.run("add", callID, { ...calleesOf(options), ...this.seen(callID) }, commandTimeout);
    const call = callIn(answer, "add", callID);
    return { ...call, errorUserList: errorsOf(options.callees, call, answer.refused) };
  }

  /** Reports that this device rings. The client does so by itself for each invitation that it shows. */
  async ring(callID: string): Promise<Call> {
    return this.command("ring", callID, this.attempt(callID));
  }

  /** Accepts a call to this user. */
  async accept(callID: string, options: { customData?: string } = {}): Promise<Call> {
    const attempt = this.attempt(callID);
    const fields = { ...attempt, ...customDataOf(options.customData) };
    this.apply({ kind: "accepts", callID, ...attempt });
    return this.command("accept", callID, fields);
  }

  /** Moves a call that this user is in on another device to this device. There it ends with `taken_elsewhere`. */
  async take(callID: string): Promise<Call> {
    const attempt = this.attempt(callID);
    this.apply({ kind: "takes", callID, ...attempt });
    try {
      return await this.command("take", callID, { ...attempt, ...this.seen(callID) });
    } catch (error) {
      if (!this.commands.mayBeDone(error)) this.apply({ kind: "refused", callID });
      throw error;
    }
  }

  /** Declines the call, as declined or as busy. */
  async decline(callID: string, options: { reason?: "declined" | "busy"; customData?: string } = {}): Promise<Call> {
    const reason = options.reason ? { reason: options.reason } : {};
    return this.command("decline", callID, { ...this.attempt(callID), ...reason, ...customDataOf(options.customData) });
  }

  /** Cancels the invitations of the named callees, or of all pending callees that this user may cancel. */
  async cancel(callID: string, options: { callees?: readonly string[]; customData?: string } = {}): Promise<Call> {
    const callees = options.callees?.length ? { callees: options.callees } : {};
    return this.command("cancel", callID, { ...callees, ...this.seen(callID), ...customDataOf(options.customData) });
  }

  /**
   * Leaves the call, which continues for the others. Before any callee has answered, this cancels the caller's call.
   */
  async leave(callID: string, options: { customData?: string } = {}): Promise<Call> {
    const attempt = this.attempt(callID);
    const fields = { ...attempt, ...this.seen(callID), ...customDataOf(options.customData) };
    this.apply({ kind: "leaves", callID, ...attempt });
    return this.command("leave", callID, fields);
  }

  /** Ends the call for all parties. For the caller only. */
  async end(callID: string, options: { customData?: string } = {}): Promise<Call> {
    return this.command("end", callID, { ...this.seen(callID), ...customDataOf(options.customData) });
  }

  /** The current state of the call. For its parties only. */
  async get(callID: string): Promise<Call> {
    return this.command("get", callID, {});
  }

  /** The ids of the calls that this user is in, on any device. */
  async line(): Promise<string[]> {
    return (await this.run("line", "", {}, commandTimeout)).calls ?? [];
  }

  private async command(method: Method, callID: string, fields: object, withinMs = commandTimeout): Promise<Call> {
    return callIn(await this.run(method, callID, fields, withinMs), method, callID);
  }

  private async run(method: Method, callID: string, fields: object, withinMs: number): Promise<Reply> {
    if (this.connection === "disconnected") {
      throw new RinglineError("disconnected", `${method}: not connected; call connect first`, callID);
    }
    checkSize(fields);
    return this.commands.run(method, callID, fields, withinMs);
  }

  /** The attempt that this user saw. The server refuses an answer to an earlier attempt. */
  private attempt(callID: string): { attempt?: number } {
    const call = this.state.calls.get(callID)?.call;
    const attempt = call?.callees.find((x) => x.user_id === this.state.userID)?.attempt;
    return attempt === undefined ? {} : { attempt };
  }

  /** The newest version of the call that this user saw. The server does not apply the command to what came after it. */
  private seen(callID: string): { seen?: number } {
    const seen = this.state.calls.get(callID)?.call.seq;
    return seen === undefined ? {} : { seen };
  }

  private async open(generation: number): Promise<void> {
    try {
      const claims = await this.firstToken(generation);
      if (!claims || this.generation !== generation) return;
      const acquired = this.device ?? (await this.acquireDevice(claims));
      if (this.generation !== generation) return acquired.release();
      this.device = acquired;
      this.session = this.makeSession(this.listener);
      this.session.open();
    } catch (error) {
      if (this.generation !== generation) return;
      this.fail(error instanceof RinglineError ? error : new RinglineError("internal", messageOf(error)));
    }
  }

  private acquireDevice(claims: Claims, anew = false): Promise<DeviceID> {
    const { storage, device } = this.options;
    const storages = storage === null ? {} : (storage ?? browserStorages());
    return acquireDevice(claims, device, storages, this.clock, this.deviceID, anew);
  }

  private async newDevice(): Promise<void> {
    const { generation } = this;
    const { claims } = this.tokens;
    this.device?.release();
    this.device = undefined;
    const acquired = claims && (await this.acquireDevice(claims, true));
    if (this.generation === generation) this.device = acquired;
    else acquired?.release();
  }

  /** Gets the first token. Its device claim is needed before anything else. */
  private async firstToken(generation: number): Promise<Claims | undefined> {
    let told = "";
    for (let pause = 500; ; pause = Math.min(20_000, 2 * pause)) {
      try {
        await this.tokens.current();
        return this.tokens.claims;
      } catch (error) {
        if (error instanceof RinglineError) throw error;
        const why = tokenError(error);
        if (this.generation === generation && why.message !== told) this.report(why);
        told = why.message;
      }
      if (this.generation !== generation) return undefined; // a callback may also have disconnected
      await new Promise<void>((resolve) => (this.stopTimer = this.clock.after(pause, resolve)));
    }
  }

  private readonly listener: SessionListener = {
    connectData: () => {
      this.listed = showing(this.state).slice(-maxShowing);
      return { device: this.device?.id ?? "", showing: this.listed };
    },
    onOpen: (data) => this.onOpen(data),
    onPush: (data) => this.onPush(data),
    onError: (error) => this.report(error),
    onAway: (away) => this.away.set(away),
    newDevice: () => this.newDevice(),
    onDown: (refused) => {
      if (refused) return this.fail(refused);
      this.commands.down();
      this.away.down();
      this.setConnection("connecting");
    },
  };

  private onOpen(data: unknown): void {
    const snapshot = readSnapshot(data);
    if (!snapshot) {
      return this.fail(new RinglineError("internal", "server: the connect reply can't be read; is this a Ringline edge?"));
    }
    this.refusedToken = false;
    this.serverTime.start(snapshot.server_time);
    this.tokenWatch.start();
    this.setConnection("connected");
    if (this.connectionState !== "connected") return; // a callback has disconnected
    this.apply({ kind: "snapshot", snapshot, showing: this.listed, receivedAt: this.clock.now() });
    if (this.connectionState !== "connected") return;
    this.commands.up();
    this.away.opened();
    this.connecting?.resolve();
    this.connecting = undefined;
  }

  private onPush(data: unknown): void {
    const push = readPush(data);
    if (!push) return this.report(new RinglineError("internal", "a push can't be read"));
    const isSnapshot = "snapshot" in push;
    const late = this.serverTime.arrived(isSnapshot ? push.snapshot.server_time : push.server_time);
    const receivedAt = this.clock.now() - late; // when it would have arrived without a delay
    if (isSnapshot) {
      const { snapshot } = push;
      this.applyPush({ kind: "snapshot", snapshot, showing: snapshot.showing ?? [], receivedAt }, late);
    } else if (push.call) this.applyPush({ kind: "notification", notification: { ...push, call: push.call }, receivedAt }, late);
    else this.reads.read(push.call_id, push.seq);
  }

  /**
   * Applies a push. If it comes late and would ring, its call may be over: a sleeping device gets what waited in its
   * socket when it wakes, and later ones perhaps never. The call is then read first.
   */
  private applyPush(input: Exclude<Frame, { kind: "answer" }>, late: number): void {
    const rings = late > maxLate ? reduce(this.state, input).commands.map((c) => c.callID) : [];
    if (rings.length === 0) return this.apply(input);
    const calls = input.kind === "snapshot" ? input.snapshot.calls.map((x) => x.call) : [input.notification.call];
    if (input.kind === "snapshot") this.apply(without(input, rings));
    for (const { call_id, seq } of calls.filter((x) => rings.includes(x.call_id))) this.reads.verify(call_id, seq);
  }

  private answered({ call }: Reply, verb: Method): void {
    if (!call || this.connection === "disconnected") return;
    let remaining = this.serverTime.remaining(call, this.state.userID);
    // The server knows better whether it still rings: the push was perhaps not late, and its clock was changed.
    if (this.reads.verifies(call.call_id) && remaining === 0) remaining = undefined;
    const input = { kind: "answer", call, verb, receivedAt: this.clock.now() } as const;
    this.apply(remaining === undefined ? input : { ...input, ringRemainingMs: remaining });
  }

  /** The only place where calls change. The order is: the state, the observers, the callbacks, the commands. */
  private apply(input: Input): void {
    const { generation } = this;
    const { state, ...step } = reduce(this.state, input);
    const callbacks = [...this.undone.callbacks, ...step.callbacks];
    const commands = [...this.undone.commands, ...step.commands];
    this.undone = { callbacks: [], commands: [] };
    this.state = state;
    if (this.shown.take(state)) this.watchers.emit("change", [this.shown.current]);
    const isUp = (): boolean => this.generation === generation && this.connection === "connected";
    for (let next; isUp() && (next = callbacks.shift()); ) this.emit(next.name, next.args);
    if (!isUp()) return void (this.undone = { callbacks, commands });
    for (const { callID, attempt } of commands) this.sendRing(callID, attempt);
    this.away.update();
  }

  private sendRing(callID: string, attempt: number): void {
    const remaining = this.calls.current.find((c) => c.callID === callID)?.ringRemaining() || ringTimeout;
    this.run("ring", callID, { attempt }, remaining).catch((error: RinglineError) => {
      if (error.code === "invalid_argument" || error.code === "internal") this.report(error);
    });
  }

  private setConnection(state: ConnectionState): void {
    if (this.connection === state) return;
    this.connection = state;
    this.emit("onConnectionStateChanged", [state]);
  }

  private fail(error: RinglineError): void {
    this.refusedToken = error.code === "permission_denied";
    this.close(error);
    this.report(error);
  }

  private close(error: RinglineError): void {
    this.generation++;
    this.session?.close();
    this.session = undefined;
    this.device?.release();
    this.device = undefined;
    this.stopTimer();
    this.tokens.stop();
    this.tokenWatch.stop();
    this.commands.clear(error);
    this.away.reset();
    this.setConnection("disconnected");
    this.connecting?.reject(error);
    this.connecting = undefined;
  }

  /** Reports an error once, however often it occurs. */
  private report(error: RinglineError): void {
    if (this.reported.has(error)) return;
    this.reported.add(error);
    const { code, message, callID } = error;
    this.emit("onError", [callID === undefined ? { code, message } : { code, message, callID }]);
  }

  private handlerFailed(event: string, error: unknown): void {
    if (event === "error") return; // reporting it to the same handler again would not end
    this.report(new RinglineError("internal", `an exception in a handler of ${event || "calls"}: ${messageOf(error)}`));
  }

  private emit<N extends CallbackName>(name: N, args: CallbackArgs<N>): void {
    const event = (name.charAt(2).toLowerCase() + name.slice(3)) as keyof RinglineEvents;
    this.emitter.emit(event, args);
  }
}

function callIn({ call }: Reply, method: Method, callID: string): Call {
  if (!call) throw new RinglineError("internal", `${method}: the answer has no call`, callID);
  return callOf(call);
}
