import { RinglineError, messageOf } from "./error.js";

/** What a token says of its bearer. Only the server checks its signature. */
export interface Claims {
  userID: string;
  app: string;
  name: string;
  /** The stable part of the device id, where the token fixes it. */
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
    throw new RinglineError("invalid_argument", "token: is no JWT");
  }
  const text = (name: string) => (typeof claims?.[name] === "string" ? (claims[name] as string) : "");
  const exp = claims?.exp;
  const read = { userID: text("sub"), app: text("app"), name: text("name"), device: text("device") };
  if (!read.userID || !read.app) throw new RinglineError("invalid_argument", "token: must have the claims sub and app");
  return { ...read, expires: typeof exp === "number" ? exp : Infinity };
}

/** By hand, as not every platform has atob and TextDecoder. */
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

/** The token at hand, and how to get another. All tokens of a client must be of one user. */
export class Tokens {
  private token: string | undefined;
  private isExpired = false;
  private first: Claims | undefined;
  private asking: Promise<string> | undefined;

  constructor(
    token: string | undefined,
    private readonly getToken: GetToken | undefined,
  ) {
    if (token) this.use(token);
    else if (!getToken) throw new RinglineError("invalid_argument", "token: is missing, and there is no getToken");
  }

  /** What the token at hand says; undefined before there is one. */
  get claims(): Claims | undefined {
    return this.first;
  }

  /** A token to connect with: that at hand, unless the server said that it has expired. */
  current(): Promise<string> {
    return this.token !== undefined && !this.isExpired ? Promise.resolve(this.token) : this.another();
  }

  /** The server says that this token has expired. One that came meanwhile stays. */
  expired(token: string): void {
    if (token === this.token) this.isExpired = true;
  }

  /** A newer token than that one: brought by `renew`, or asked for. */
  newerThan(token: string): Promise<string> {
    return this.token !== undefined && this.token !== token ? Promise.resolve(this.token) : this.another();
  }

  renew(token: string): void {
    this.use(token);
  }

  /** Asks the app, once at a time. A refusal that no repetition heals is a RinglineError. */
  private another(): Promise<string> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<string> {
    if (!this.getToken) {
      throw new RinglineError("permission_denied", "token: has expired; pass getToken, or call renewToken in time");
    }
    const token = await this.getToken();
    if (!token) throw new RinglineError("permission_denied", "getToken: gave no token");
    this.use(token);
    return token;
  }

  private use(token: string): void {
    const claims = readClaims(token);
    const { first } = this;
    if (first && (claims.userID !== first.userID || claims.app !== first.app || claims.device !== first.device)) {
      throw new RinglineError("invalid_argument", "token: is of another user, app or device than the one before");
    }
    this.first = claims;
    this.token = token;
    this.isExpired = false;
  }
}

/** A token could not be had now; trying again may help. */
export function tokenTrouble(error: unknown): RinglineError {
  return new RinglineError("disconnected", `getToken: ${messageOf(error)}`);
}
