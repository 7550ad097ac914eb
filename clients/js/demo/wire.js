/** This phone's way to the server, which can be cut: its sockets are closed, and none can be opened. */
export class Wire {
  isCut = false
  #sockets = new Set()

  constructor() {
    const wire = this
    this.WebSocket = class extends WebSocket {
      constructor(url, protocols) {
        super(wire.isCut ? nowhere : url, protocols)
        wire.#sockets.add(this)
        this.addEventListener('close', () => wire.#sockets.delete(this))
      }
    }
  }

  cut() {
    this.isCut = true
    for (const socket of this.#sockets) socket.close()
  }

  /** Tells as a browser does that there is a network again. */
  mend() {
    this.isCut = false
    dispatchEvent(new Event('online'))
  }
}

/** Nothing listens on this port, and no browser connects to it. */
const nowhere = 'ws://127.0.0.1:1/'
