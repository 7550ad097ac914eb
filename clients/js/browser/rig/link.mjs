import { connect, createServer } from "node:net";

/** A connection to a server that can be cut: a TCP proxy. */
export class Link {
  #sockets = new Set();
  #cut = false;

  constructor(url) {
    const { hostname, port } = new URL(url);
    this.server = createServer((near) => {
      if (this.#cut) return near.destroy();
      const far = connect(port, hostname);
      for (const [a, b] of [[near, far], [far, near]]) {
        this.#sockets.add(a);
        a.pipe(b);
        a.on("error", () => {}).on("close", () => (this.#sockets.delete(a), b.destroy()));
      }
    });
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  /** The number of connections. */
  get connections() {
    return this.#sockets.size / 2;
  }

  /** Ends every connection, and refuses new ones until `restore`. */
  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore() {
    this.#cut = false;
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
