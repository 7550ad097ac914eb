/**
 * Server-sent events over fetch. The platform's EventSource can only GET. centrifuge-js therefore puts the connect
 * command, and with it the token, into the query string, where proxies and logs keep it. This class removes it from the
 * address and posts it as the body.
 */
export function eventSourceOver(fetch: typeof globalThis.fetch): new (url: string) => FetchEventSource {
  return class extends FetchEventSource {
    constructor(url: string) {
      super(url, fetch);
    }
  };
}

const parameter = "cf_connect";

class FetchEventSource {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: ((event: { error: unknown }) => void) | null = null;
  private readonly abort = new AbortController();
  private closed = false;

  constructor(url: string, fetch: typeof globalThis.fetch) {
    const address = new URL(url);
    const body = address.searchParams.get(parameter) ?? "";
    address.searchParams.delete(parameter);
    const request = fetch(address.toString(), {
      method: "POST",
      headers: { Accept: "text/event-stream", "Content-Type": "application/json" },
      body,
      mode: "cors",
      credentials: "same-origin",
      signal: this.abort.signal,
    });
    void request.then((response) => this.read(response)).catch((error: unknown) => this.fail(error));
  }

  close(): void {
    this.closed = true;
    this.abort.abort();
  }

  private async read(response: Response): Promise<void> {
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    if (this.closed) return;
    this.onopen?.();
    const events = new EventParser((data) => {
      if (!this.closed) this.onmessage?.({ data });
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("the stream ended");
      events.push(decoder.decode(value, { stream: true }));
    }
  }

  private fail(error: unknown): void {
    if (!this.closed) this.onerror?.({ error });
  }
}

/**
 * Splits a text/event-stream into the data of its events. A line ends with CR, LF or both. An event ends with an empty
 * line.
 */
export class EventParser {
  private rest = "";
  private data: string[] = [];

  constructor(private readonly onData: (data: string) => void) {}

  push(text: string): void {
    this.rest += text;
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.rest);
      // A CR at the very end may be the first half of CRLF.
      if (!end || (end[0] === "\r" && end.index + 1 === this.rest.length)) return;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      this.line(line);
    }
  }

  private line(line: string): void {
    if (line === "") {
      const data = this.data;
      this.data = [];
      if (data.length > 0) this.onData(data.join("\n"));
    } else if (line === "data") this.data.push("");
    else if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
  }
}
