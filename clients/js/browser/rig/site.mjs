import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** RINGLINE_JS names another build of the client, for example one with a planted mistake. */
const script = () => readFileSync(process.env.RINGLINE_JS ?? here("../../dist/ringline.js"));

/**
 * An app's own site on its own origin: the page of a phone, the client, tokens for `getToken`, and an answer that comes
 * late. `mint` returns a token for the query.
 */
export class Site {
  constructor(mint) {
    this.server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, "http://site");
      const send = (type, body) => response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store" }).end(body);
      if (pathname === "/") send("text/html", readFileSync(here("phone.html")));
      else if (pathname === "/ringline.js") send("text/javascript", script());
      else if (pathname === "/late") setTimeout(() => send("text/plain", ""), Number(searchParams.get("ms")));
      else if (pathname === "/token") send("text/plain", mint(Object.fromEntries(searchParams)));
      else response.writeHead(404).end();
    });
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
