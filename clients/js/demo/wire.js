/** This phone's connection to the server. After a cut its sockets are closed, and none can be opened. */
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

  /** Emits the event of a browser that is online again. */
  restore() {
    this.isCut = false
    dispatchEvent(new Event('online'))
  }
}

/** Nothing listens on this port, and browsers don't connect to it. */
const nowhere = 'ws://127.0.0.1:1/'
