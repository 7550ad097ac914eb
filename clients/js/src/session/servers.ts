import { RinglineError } from "../api/error.js";
import type { Address } from "./rotation.js";

/**
 * Reads `server`: one address or several. An empty one is the page's origin. Returns http(s) addresses without a
 * trailing slash.
 */
export function readServers(server: string | readonly string[] | undefined): string[] {
  const list = typeof server === "string" || server === undefined ? [server ?? ""] : [...server];
  if (list.length === 0) throw new RinglineError("invalid_argument", "server: must name at least one address");
  return list.map(readServer);
}

function readServer(server: string): string {
  const address = server === "" ? ownOrigin() : server;
  if (typeof address !== "string" || !/^(https?|wss?):\/\/[^/?#\s]+(\/[^?#\s]*)?$/i.test(address)) {
    throw new RinglineError(
      "invalid_argument",
      `server: must be empty or like https://host, wss://host or https://host/path, got ${JSON.stringify(address)}`,
    );
  }
  return address.replace(/^ws/i, "http").replace(/\/+$/, "");
}

function ownOrigin(): string {
  const here = typeof location === "undefined" ? undefined : location;
  if (!here?.host) throw new RinglineError("invalid_argument", "server: must name an address, because there is no page");
  return `${here.protocol}//${here.host}`;
}

export function endpointOf({ server, transport }: Address): string {
  return transport === "websocket"
    ? `${server.replace(/^http/i, "ws")}/connection/websocket`
    : `${server}/connection/${transport}`;
}

export function emulationOf({ server }: Address): string {
  return `${server}/emulation`;
}
