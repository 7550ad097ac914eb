import { createHmac } from "node:crypto";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Makes tokens as an app's backend does. `ttl` is in seconds and may be negative. */
export function minter(app, kid, secret) {
  const key = Buffer.from(secret, "base64url");
  return ({ userID, userName, device, ttl = 3600 }) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { aud: "ringline", app, sub: userID, iat: Math.min(now, now + ttl), exp: now + ttl };
    if (userName) claims.name = userName;
    if (device) claims.device = device;
    const signed = `${part({ alg: "HS256", typ: "JWT", kid })}.${part(claims)}`;
    return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
  };
}
