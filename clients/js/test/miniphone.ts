import type * as Mini from "../src/mini/index.js";
import type { InvitationEvents } from "../src/api/callbacks.js";
import { FakePhone, load, plain } from "./fakewx.js";

/** A mini-program that runs on a phone, and the callbacks that it received. */
export class MiniPhone {
  readonly received: string[] = [];
  readonly touched: string[];
  private readonly mini: typeof Mini;

  constructor(
    code: string,
    readonly phone = new FakePhone(),
    names?: ("wx" | "uni")[],
    latePromise?: boolean,
  ) {
    const { module, touched } = load<typeof Mini>(code, phone, names, latePromise);
    this.mini = module;
    this.touched = touched;
  }

  get kit(): (typeof Mini)["Ringline"] {
    return this.mini.Ringline;
  }

  get exported(): string[] {
    return Object.keys(this.mini).sort();
  }

  /** Records each callback as `name(argument, …)`, each argument as JSON. */
  readonly events = new Proxy({} as InvitationEvents, {
    get:
      (_, name) =>
      (...args: unknown[]): void => {
        this.received.push(`${String(name)}(${args.map((a) => JSON.stringify(a)).join(", ")})`);
        this.phone.wake();
      },
  });

  /** The callbacks about calls. */
  get calls(): string[] {
    return this.received.filter((h) => !h.startsWith("onConnectionStateChanged"));
  }

  async init(server: string | string[], userID: string, token: string, config?: object): Promise<Mini.LocalUser> {
    return plain(await this.kit.init("demo", server, userID, userID.toUpperCase(), token, config as never, this.events));
  }

  async until(holds: () => boolean, what: string, within = 60_000): Promise<void> {
    for (const by = Date.now() + within; !holds(); ) {
      if (Date.now() > by) throw new Error(`waits for ${what}, received ${this.received.join(", ")}; ${this.phone.warnings.join(", ")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.phone.wake = () => (clearTimeout(timer), setImmediate(resolve));
      });
    }
  }

  receives(what: string): Promise<void> {
    return this.until(() => this.received.includes(what), what);
  }
}
