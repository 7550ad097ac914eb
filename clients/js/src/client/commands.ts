import { RinglineError, errorCode, messageOf } from "../api/error.js";
import type { Clock } from "../platform/clock.js";
import { randomID } from "../platform/random.js";
import type { Method } from "../wire/messages.js";
import { readAnswer, type Reply } from "../wire/read.js";

/** The number of requests that may be in flight. The server refuses more. */
const maxInFlight = 8;

interface Command {
  method: Method;
  callID: string;
  data: { seen?: number };
  /** It was passed to a connection, so it may have been carried out. */
  sent: boolean;
  /** There was a connection while it waited. */
  wasUp: boolean;
  /**
   * A try ended without a conclusive answer, so the command may have been carried out whatever the result of later
   * tries.
   */
  isUncertain: boolean;
  inFlight: boolean;
  tries: number;
  /** The error of the last try. */
  lastError: RinglineError | undefined;
  resolve(answer: Reply): void;
  reject(error: RinglineError): void;
  stopDeadline(): void;
  /** Set while the command waits for its next try. */
  stopPause: (() => void) | undefined;
}

/**
 * Sends commands, those about one call one after another. A command keeps its id over all tries, so it is carried out
 * only once however often it is sent. It is kept while the connection is down, and given up at its deadline.
 */
export class Commands {
  private readonly queues = new Map<string, Command[]>();
  private readonly uncertain = new WeakSet<RinglineError>(); // errors of given-up commands that may have been carried out
  private inFlight = 0;
  private isUp = false;

  constructor(
    private readonly request: (method: string, data: object) => Promise<unknown>,
    private readonly onAnswer: (answer: Reply, method: Method) => void,
    private readonly clock: Clock,
  ) {}

  /** Resolves with an ok answer, or rejects with a RinglineError. */
  run(method: Method, callID: string, fields: object, withinMs: number): Promise<Reply> {
    const queue = this.queues.get(callID) ?? [];
    const endsAll = method === "leave" || method === "end" || (method === "cancel" && !("callees" in fields));
    if (endsAll && this.dropUnsent(queue)) {
      return Promise.reject(new RinglineError("not_found", "callID: the invitation was canceled before it was sent", callID));
    }
    if (isAnswer(method)) this.skipRing(queue);
    return new Promise((resolve, reject) => {
      const command: Command = {
        method,
        callID,
        data: dataOf(method, callID, fields),
        sent: false,
        wasUp: this.isUp,
        isUncertain: false,
        inFlight: false,
        tries: 0,
        lastError: undefined,
        resolve,
        reject,
        stopDeadline: this.clock.after(withinMs, () => this.expire(command)),
        stopPause: undefined,
      };
      queue.push(command);
      this.queues.set(callID, queue);
      this.sendNext();
    });
  }

  /** The connection is up: sends the commands that were kept. */
  up(): void {
    this.isUp = true;
    for (const command of [...this.queues.values()].flat()) {
      command.wasUp = true;
      command.stopPause?.();
      command.stopPause = undefined;
    }
    this.sendNext();
  }

  down(): void {
    this.isUp = false;
  }

  /** Whether a command that was given up with this error may have been carried out, or may still be. */
  mayBeDone(error: unknown): boolean {
    return error instanceof RinglineError && this.uncertain.has(error);
  }

  /** Gives up all commands. */
  clear(error: RinglineError): void {
    this.isUp = false;
    for (const command of [...this.queues.values()].flat()) this.finish(command, () => command.reject(error));
  }

  /** An invitation that was never sent needs no cancel. */
  private dropUnsent(queue: Command[]): boolean {
    const invite = queue.find((c) => c.method === "invite" && !c.sent);
    if (!invite) return false;
    const error = new RinglineError("call_ended", "the invitation was canceled before it was sent", invite.callID);
    this.finish(invite, () => invite.reject(error));
    return true;
  }

  /** Drops a ring command once the user has answered. It is outdated and must not delay the answer. */
  private skipRing(queue: Command[]): void {
    for (const c of queue.filter((c) => c.method === "ring" && !c.inFlight)) this.skip(c);
  }

  private skip(ring: Command): void {
    this.finish(ring, () => ring.reject(new RinglineError("not_pending", "ring: the call was answered first", ring.callID)));
  }

  private sendNext(): void {
    for (const queue of [...this.queues.values()]) {
      if (!this.isUp || this.inFlight >= maxInFlight) return;
      const head = queue[0];
      if (head && !head.inFlight && !head.stopPause) void this.send(head);
    }
  }

  private async send(command: Command): Promise<void> {
    command.sent = true;
    command.inFlight = true;
    command.tries++;
    this.inFlight++;
    let settle: () => void;
    try {
      const answer = readAnswer(await this.request(command.method, command.data));
      // The answer to a given-up command carries the state of the call too. The command still counts as in flight, so
      // that a command issued by a callback does not send it again.
      if (answer) this.onAnswer(answer, command.method);
      if (answer?.ok) this.showToWaiting(command, answer.call?.seq ?? 0);
      settle = () => this.answered(command, answer);
    } catch (error) {
      settle = () => this.unanswered(command, error);
    }
    this.inFlight--;
    command.inFlight = false;
    settle();
    this.sendNext();
  }

  /**
   * A cancel or add that waits behind another one builds on its outcome, so it has seen that too. Otherwise `seen` is
   * what the user had seen when they decided: a hang-up that waits must not end what it was not meant for.
   */
  private showToWaiting({ method, callID }: Command, seq: number): void {
    if (!invites(method)) return;
    for (const c of this.queues.get(callID) ?? []) {
      if (!c.sent && invites(c.method) && c.data.seen !== undefined) c.data.seen = Math.max(c.data.seen, seq);
    }
  }

  private answered(command: Command, answer: Reply | undefined): void {
    if (!this.isKept(command)) return;
    const error = refusalOf(answer, command.callID);
    if (error?.code !== "rate_limited" && error?.code !== "exhausted") command.isUncertain = !answer || error?.code === "unavailable";
    if (!error) this.finish(command, () => command.resolve(answer as Reply));
    else if (error.code === "rate_limited" || error.code === "unavailable") this.retry(command, error);
    else this.giveUp(command, error);
  }

  private unanswered(command: Command, error: unknown): void {
    if (!this.isKept(command)) return;
    if (error instanceof RinglineError) return this.giveUp(command, error);
    command.isUncertain = true;
    this.retry(command, new RinglineError("timeout", messageOf(error), command.callID));
  }

  /** Tries again: after a pause if there is a connection, otherwise when it is back. */
  private retry(command: Command, error: RinglineError): void {
    command.lastError = error;
    if (command.method === "ring" && this.queues.get(command.callID)?.some((c) => isAnswer(c.method))) return this.skip(command);
    if (!this.isUp) return;
    const pause = Math.min(3_000, 250 * 2 ** (command.tries - 1)) * (0.5 + Math.random());
    command.stopPause = this.clock.after(pause, () => {
      command.stopPause = undefined;
      this.sendNext();
    });
  }

  private expire(command: Command): void {
    const { sent, wasUp, lastError, method, callID } = command;
    let error = new RinglineError("timeout", `${method}: no answer in time; it may still be carried out`, callID);
    if (lastError?.code === "rate_limited" || lastError?.code === "unavailable") error = lastError;
    if (!sent && wasUp) error = new RinglineError("timeout", `${method}: not sent in time, because others went first`, callID);
    if (!sent && !wasUp) error = new RinglineError("disconnected", `${method}: not sent, because there was no connection in time`, callID);
    this.giveUp(command, error);
    this.sendNext();
  }

  private giveUp(command: Command, error: RinglineError): void {
    if (command.isUncertain || command.inFlight) this.uncertain.add(error);
    this.finish(command, () => command.reject(error));
  }

  private isKept(command: Command): boolean {
    return this.queues.get(command.callID)?.includes(command) ?? false;
  }

  private finish(command: Command, settle: () => void): void {
    const queue = this.queues.get(command.callID);
    const i = queue?.indexOf(command) ?? -1;
    if (!queue || i < 0) return;
    queue.splice(i, 1);
    if (queue.length === 0) this.queues.delete(command.callID);
    command.stopDeadline();
    command.stopPause?.();
    settle();
  }
}

/** A user's answer to an invitation, or a later command. */
function isAnswer(method: Method): boolean {
  return method === "accept" || method === "decline" || method === "leave";
}

/** It begins or ends attempts of callees. */
function invites(method: Method): boolean {
  return method === "add" || method === "cancel";
}

/** Reads have no command id, because they carry out nothing. */
function dataOf(method: Method, callID: string, fields: object): object {
  if (method === "line") return {};
  return method === "get" ? { call_id: callID } : { command_id: randomID(), call_id: callID, ...fields };
}

function refusalOf(answer: Reply | undefined, callID: string): RinglineError | undefined {
  if (!answer) return new RinglineError("internal", "the server's answer can't be read", callID);
  if (answer.ok) return undefined;
  return new RinglineError(errorCode(answer.error?.code ?? ""), answer.error?.message ?? "refused", callID);
}
