/* eslint-disable @typescript-eslint/no-explicit-any -- a handler's arguments are those of its event, whatever they are */
type Handler = (...args: any[]) => unknown;

/**
 * Calls an app's handler and contains its failures. An exception, or a rejected promise that it returns, is logged to
 * the console and passed to `failed`.
 */
export function guarded(handler: Handler, args: readonly unknown[], failed: (error: unknown) => void): void {
  const report = (error: unknown): void => {
    log(error);
    failed(error);
  };
  try {
    const result = handler(...args) as { then?: unknown } | undefined;
    if (typeof result?.then === "function") Promise.resolve(result).catch(report);
  } catch (error) {
    report(error);
  }
}

function log(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else if (typeof console !== "undefined") console.error(error);
}

/**
 * Handlers by event. A handler that is added during an event gets the next one. A handler that is removed gets no more.
 */
export class Emitter<Events extends object> {
  private readonly handlers = new Map<keyof Events, Set<Handler>>();

  /** `failed` receives the exceptions of handlers. */
  constructor(private readonly failed: (event: keyof Events, error: unknown) => void) {}

  /** Returns a function that removes the handler. */
  on(event: keyof Events, handler: Handler): () => void {
    const own: Handler = (...args) => handler(...args); // the same handler may be added twice
    const set = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, set.add(own));
    return () => void set.delete(own);
  }

  emit(event: keyof Events, args: readonly unknown[]): void {
    const set = this.handlers.get(event);
    for (const handler of [...(set ?? [])]) {
      if (set?.has(handler)) guarded(handler, args, (error) => this.failed(event, error));
    }
  }
}
