import { RinglineError, messageOf } from "../api/error.js";
import type { Clock } from "../platform/clock.js";

/** The claims of a token. Only the server verifies its signature. */
export interface Claims {
  userID: string;
  app: string;
  name: string;
  /** The stable part of the device id, if the token sets it. */
  device: string;
  /** Seconds since 1970. */
  expires: number;
}

export type GetToken = () => string | null | undefined | Promise<string | null | undefined>;

/** Reads the claims of a JWT. */
export function readClaims(token: string): Claims {
  const payload = typeof token === "string" ? token.split(".")[1] : undefined;
  let claims: Record<string, unknown>;
  try {
    claims = JSON.parse(decodeBase64URL(payload ?? "")) as Record<string, unknown>;
  } catch {
    throw new RinglineError("invalid_argument", "token: is not a JWT");
  }
  const text = (name: string) => (typeof claims?.[name] === "string" ? (claims[name] as string) : "");
  const exp = claims?.exp;
  const read = { userID: text("sub"), app: text("app"), name: text("name"), device: text("device") };
  if (!read.userID || !read.app) throw new RinglineError("invalid_argument", "token: must have the claims sub and app");
  return { ...read, expires: typeof exp === "number" ? exp : Infinity };
}

/** Decodes by hand, because not every platform has atob and TextDecoder. */
function decodeBase64URL(text: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let escaped = "";
  let bits = 0;
  let held = 0;
  for (const c of text.replace(/=+$/, "").replace(/\+/g, "-").replace(/\//g, "_")) {
    const digit = digits.indexOf(c);
    if (digit < 0) throw new Error("not base64url");
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    escaped += `%${((held >> bits) & 0xff).toString(16).padStart(2, "0")}`;
  }
  return decodeURIComponent(escaped);
}

/** How long getToken may take. */
const getTokenTimeout = 15_000;

/** The current token, and how to get another one. All tokens of a client must be of one user. */
export class Tokens {
  private token: string | undefined;
  private isExpired = false;
  private untried = false;
  private first: Claims | undefined;
  private noOther: RinglineError | undefined; // there is no token after the current one
  private pending: { promise: Promise<string>; resolve(token: string): void; stopTimer(): void } | undefined;

  constructor(
    token: string | undefined,
    private readonly getToken: GetToken | undefined,
    private readonly clock: Clock,
  ) {
    if (token) this.use(token);
    else if (!getToken) throw new RinglineError("invalid_argument", "token: is missing; pass it or getToken");
  }

  /** The claims of the token; undefined before there is one. */
  get claims(): Claims | undefined {
    return this.first;
  }

  /** Returns the current token, or a new one if the server said that it has expired. */
  current(): Promise<string> {
    return this.token !== undefined && !this.isExpired ? Promise.resolve(this.token) : this.requestToken();
  }

  /** Whether this token is a later one than the first and is tried for the first time. */
  isNew(token: string): boolean {
    const { untried } = this;
    this.untried = false;
    return untried && token === this.token;
  }

  /** The server says that this token has expired. A token that arrived in the meantime stays. */
  expired(token: string): void {
    if (token === this.token) this.isExpired = true;
  }

  /** Returns a newer token for a connection that continues: one from `renew`, or one from the app. */
  async newerThan(token: string): Promise<string> {
    const newer = this.token !== undefined && this.token !== token ? this.token : await this.requestToken();
    this.untried = false;
    return newer;
  }

  /** Takes a newer token and passes it to those that wait for one. */
  renew(token: string): void {
    this.use(token);
    this.untried = true;
    this.pending?.resolve(token);
  }

  /** No caller waits for a token any more. */
  stop(): void {
    this.pending?.stopTimer();
    this.pending = undefined;
  }

  /** Asks the app, one request at a time. A RinglineError is permanent. */
  private requestToken(): Promise<string> {
    if (this.pending) return this.pending.promise;
    const { getToken, token: before } = this;
    if (!getToken) {
      return Promise.reject(this.final("token: has expired; pass getToken, or call renewToken in time"));
    }
    let resolve = (_: string): void => {};
    let reject = (_: unknown): void => {};
    const promise = new Promise<string>((a, b) => ([resolve, reject] = [a, b]));
    const finish = (): void => {
      request.stopTimer();
      if (this.pending === request) this.pending = undefined;
    };
    const failed = (error: unknown): void => (finish(), reject(error));
    const stopTimer = this.clock.after(getTokenTimeout, () => failed(new Error(`no token within ${getTokenTimeout / 1000} s`)));
    const request = { promise, resolve: (token: string) => (finish(), resolve(token)), stopTimer };
    this.pending = request;
    const received = (token: string | null | undefined): void => {
      if (this.token !== before) return; // another token arrived in the meantime and was passed on
      if (!token) throw this.final("getToken: returned no token");
      this.renew(token);
    };
    new Promise<string | null | undefined>((answer) => answer(getToken())).then(received).catch(failed);
    return promise;
  }

  /** There is no other token. It is one error for one token, however often the session asks for another. */
  private final(message: string): RinglineError {
    return (this.noOther ??= new RinglineError("permission_denied", message));
  }

  private use(token: string): void {
    const claims = readClaims(token);
    const { first } = this;
    if (first && (claims.userID !== first.userID || claims.app !== first.app || claims.device !== first.device)) {
      throw new RinglineError("invalid_argument", "token: is for another user, app or device than the previous one");
    }
    this.first = claims;
    this.token = token;
    this.isExpired = false;
    this.noOther = undefined;
  }
}

/** A token is not available now. A retry may help. */
export function tokenError(error: unknown): RinglineError {
  return new RinglineError("unavailable", `getToken: ${messageOf(error)}`);
}
