import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy that makes connections half-open: it stays connected to both sides, and swallows every byte. */
export class Swallow {
  private pairs: [Socket, Socket][] = [];
  private readonly server = createServer((near) => {
    const far = connect(this.port, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => {});
    near.on("close", () => far.destroy());
    this.pairs.push([near, far]);
  });

  constructor(private readonly port: number) {}

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Swallows what its connections send from now on. New connections pass. */
  swallow(): void {
    for (const [near, far] of this.pairs.splice(0)) {
      near.unpipe(far);
      far.unpipe(near);
      near.resume();
      far.resume();
    }
  }

  stop(): void {
    this.server.close();
    for (const socket of this.pairs.flat()) socket.destroy();
  }
}
