import type { Clock } from "../src/platform/clock.js";
import { Lost, type Session, type SessionListener, type SessionOptions } from "../src/session/session.js";
import { RinglineError } from "../src/api/error.js";
import type { Notification } from "../src/wire/read.js";
import type * as wire from "../src/wire/messages.js";
import { at, push, withoutCall } from "./world.js";

/** Runs everything that waits only for promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that only the test moves. */
export class FakeClock implements Clock {
  time = 0;
  private readonly timers = new Set<{ at: number; callback: () => void }>();

  now = (): number => this.time;

  after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.time + ms, callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };

  get pending(): number {
    return this.timers.size;
  }

  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      const next = [...this.timers].filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.time = Math.max(this.time, next.at);
      this.timers.delete(next);
      next.callback();
      await settle();
    }
    this.time = until;
    await settle();
  }
}

export interface Request {
  method: string;
  data: Record<string, unknown>;
  answer(answer: object): void;
  lose(): void;
  refuse(error: RinglineError): void;
}

/** A session that the test controls. */
export class FakeSession implements Session {
  isOpen = false;
  closed = 0;
  readonly requests: Request[] = [];
  connectData: { device?: string; showing?: string[] } = {};

  constructor(
    readonly options: SessionOptions,
    readonly listener: SessionListener,
  ) {}

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
    this.closed++;
    for (const r of this.requests.splice(0)) r.lose();
  }

  request(method: string, data: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const drop = (f: () => void) => () => {
        const i = this.requests.indexOf(request);
        if (i >= 0) this.requests.splice(i, 1);
        f();
      };
      const request: Request = {
        method,
        data: data as Record<string, unknown>,
        answer: (answer) => drop(() => resolve(answer))(),
        lose: drop(() => reject(new Lost("connection closed"))),
        refuse: (error) => drop(() => reject(error))(),
      };
      this.requests.push(request);
    });
  }

  /** The session connects, with this snapshot from the server. */
  connect(calls: wire.Snapshot["calls"] = [], more: Partial<wire.Snapshot> = {}): void {
    this.connectData = this.listener.connectData();
    this.listener.onOpen({
      server_time: at(0),
      user_id: "ann",
      device_id: this.connectData.device ?? "",
      calls,
      ...more,
    });
  }

  break(): void {
    for (const r of this.requests.splice(0)) r.lose();
    this.listener.onDown();
  }

  /** Pushes a notification without its call. */
  pushWithoutCall(of: wire.View, more: Partial<Notification> = {}): void {
    this.listener.onPush(withoutCall(of, more));
  }

  push(call: wire.View, more: Partial<Notification> = {}): void {
    this.listener.onPush(push(call, more));
  }

  /** The only request in flight. */
  get request1(): Request {
    const [first, second] = this.requests;
    if (!first || second) throw new Error(`${this.requests.length} requests: ${this.requests.map((r) => r.method).join()}`);
    return first;
  }
}

/** An unsigned token with those claims. */
export function token(sub: string, more: Record<string, unknown> = {}): string {
  const part = (x: object) => Buffer.from(JSON.stringify(x)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ sub, app: "demo", exp: 1_795_514_400, ...more })}.c2ln`;
}

/** Waits for a rejection and returns its error. */
export async function rejected(promise: Promise<unknown>): Promise<RinglineError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RinglineError) return error;
    throw error;
  }
  throw new Error("it was not rejected");
}
