// The events, newest first: each transition with its notifications, and the callbacks that they caused.
import { hue } from './people.js'
import { call, folded, text } from './code.js'

const most = 120
const patience = 1500 // how long a callback waits for its notification, in milliseconds

export class Moments {
  #byCall = new Map() // id → seq → moment
  #waiting = new Set()

  constructor(list, empty) {
    this.list = list
    this.empty = empty
  }

  clear() {
    this.list.replaceChildren()
    this.#byCall.clear()
    this.empty.hidden = false
  }

  /** Records a message on NATS. */
  message({ kind, subject, message }) {
    if (kind === 'transition') this.#moment(message.data.call.call_id, message.data.seq, message.time).transition(message)
    else this.#moment(message.call_id, message.seq, message.server_time).notification(subject, message)
    for (const callback of [...this.#waiting]) if (this.#place(callback)) this.#waiting.delete(callback)
  }

  /** Records a callback of a phone. */
  callback(callback) {
    if (this.#place(callback)) return
    this.#waiting.add(callback)
    setTimeout(() => {
      if (this.#waiting.delete(callback)) this.#add(new Alone(callback).element, callback.at)
    }, /^on.*(Call|Participant)/.test(callback.name) && !callback.name.endsWith('Pressed') ? patience : 0)
  }

  /** Shows the callback next to its notification. */
  #place(callback) {
    const moments = [...(this.#byCall.get(callback.args[0])?.values() ?? [])].reverse()
    return moments.some((moment) => moment.take(callback))
  }

  #moment(callID, seq, time) {
    const ofCall = this.#byCall.get(callID) ?? new Map()
    this.#byCall.set(callID, ofCall)
    if (!ofCall.has(seq)) {
      const moment = new Moment(callID, seq)
      ofCall.set(seq, moment)
      this.#add(moment.element, Date.parse(time))
    }
    return ofCall.get(seq)
  }

  /** Inserts by time. All times come from the same clock, because dev runs on this machine. */
  #add(element, at) {
    this.empty.hidden = true
    element.dataset.at = at
    this.list.insertBefore(element, [...this.list.children].find((e) => Number(e.dataset.at) <= at) ?? null)
    while (this.list.children.length > most) this.list.lastChild.remove()
  }
}

class Moment {
  element = node('article', 'moment')
  #title = node('h3', 'event', '…')
  #about = node('p', 'about')
  #transition = node('div', 'transition')
  #pairs = node('div', 'pairs')
  #rows = []

  constructor(callID, seq) {
    this.element.style.setProperty('--hue', hue(callID))
    const head = node('header', '', this.#title, node('span', 'seq', `call ${callID.slice(0, 6)}… · seq ${seq}`))
    this.#transition.append(head, this.#about)
    this.element.append(this.#transition, this.#pairs)
  }

  transition({ time, subject, data, ...event }) {
    const app = event.source.split('/').pop()
    this.#title.textContent = data.event
    const by = data.by.user_id ?? data.by.service ?? data.by.kind
    const changes = data.changes.map((c) => `${c.user_id}: ${c.from ? `${c.from} → ` : ''}${c.to}`).join(', ')
    this.#about.textContent = `${time.slice(11, 23)} · by ${by}${changes ? ` · ${changes}` : ''}`
    this.#transition.append(folded(`ringline.${app}.call.${subject.slice(0, 6)}…`, { ...event, subject, time, data }))
  }

  notification(subject, message) {
    const row = new Row(subject, message)
    this.#rows.push(row)
    this.#pairs.append(row.element)
  }

  /** Adds the callback to its notification, and reports whether this moment has it. */
  take(callback) {
    const row = this.#rows.find((r) => r.matches(callback))
    row?.callbacks.append(called(callback))
    return row !== undefined
  }
}

/** A notification, and the callbacks for it on each of the user's devices. */
class Row {
  element = node('div', 'pair')
  callbacks = node('div', 'callbacks')

  constructor(subject, message) {
    this.user = message.event.startsWith('outgoing') ? message.user_id : undefined
    this.message = message
    this.receiver = decodeURIComponent(subject.split('.').pop().replace(/=/g, '%'))
    const notification = node('div', 'notification', node('b', '', message.event), folded(subject, message))
    this.element.append(notification, this.callbacks)
    if (message.event.endsWith('_elsewhere')) this.#explain()
  }

  /** All devices of a user receive an answer. The device that answered makes no callback for it. */
  #explain() {
    const verb = this.message.event.split('_')[2] // answered or declined
    setTimeout(() => {
      if (!this.callbacks.firstChild) this.callbacks.append(node('span', 'none', `none: ${this.receiver} ${verb} here`))
    }, patience)
  }

  matches({ user, name, args }) {
    const event = name.slice(2).replace(/[A-Z]/g, (c, i) => (i ? '_' : '') + c.toLowerCase())
    const { message } = this
    const comesIn = message.event === 'outgoing_call_accepted' || message.event === 'incoming_call_answered_elsewhere'
    if (event === 'call_started') return user === this.receiver && comesIn && args[2].how !== 'restored'
    const about = event.startsWith('outgoing') || event.startsWith('participant') ? args[1] : undefined
    return user === this.receiver && event === message.event && (about === undefined || about === message.user_id)
  }
}

/** A callback without a notification. */
class Alone {
  constructor(callback) {
    this.element = node('article', 'moment alone', node('p', '', `${callback.user}: ${why(callback)}`), called(callback))
  }
}

function why({ name, args }) {
  if (name === 'onConnectionStateChanged') return 'the connection'
  if (name.endsWith('Pressed')) return 'a button'
  if (name.startsWith('on')) return 'from an answer or a snapshot'
  return args[0]?.code ? 'refused' : 'the result of the call'
}

function called({ user, name, args }) {
  const who = node('span', 'who', user)
  who.style.setProperty('--hue', hue(user))
  return node('div', 'called', who, call(name, args))
}

function node(tag, className, ...children) {
  const element = Object.assign(document.createElement(tag), { className })
  element.append(...children.map((c) => (typeof c === 'string' ? text(c) : c)))
  return element
}
