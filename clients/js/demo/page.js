// The page that `ringline dev` serves: a phone, more phones next to it, and the events between them.
import { face, names, others } from './people.js'
import { Moments } from './moments.js'
import { Wire } from './wire.js'

const $ = (id) => document.getElementById(id)
const query = new URLSearchParams(location.search)
const user = query.get('user')
const isPane = query.has('pane') // a phone embedded in the page of another one
const key = keyOf(query) // allows this page to get tokens
const channel = new BroadcastChannel('ringline-demo') // between all phones of this browser
const wire = new Wire()
const moments = isPane ? undefined : new Moments($('list'), $('empty'))

// Reports a callback of this phone: here, and on every other page of this browser that shows it.
function record(name, args) {
  const callback = { user, name, args: JSON.parse(JSON.stringify(args)), at: Date.now() }
  moments?.callback(callback)
  channel.postMessage({ callback })
}

const callbacks = Object.fromEntries(names.map((name) => [name, (...args) => {
  record(name, args)
  if (name === 'onConnectionStateChanged') showState(args[0])
}]))

function showState(state) {
  $('state').textContent = wire.isCut ? 'offline' : state
  $('state').dataset.state = wire.isCut ? 'offline' : state
}

// The key is in the URL that `ringline dev` prints. This browser keeps it, so that later URLs need none.
function keyOf(query) {
  const name = 'ringline.dev.key'
  const given = query.get('key')
  try {
    if (given) localStorage.setItem(name, given)
    return given ?? localStorage.getItem(name) ?? ''
  } catch {
    return given ?? '' // no storage
  }
}

async function token() {
  const answer = await fetch('/dev/token?' + new URLSearchParams({ key, user_id: user, user_name: user }))
  if (answer.ok) return answer.json()
  const why = await answer.text()
  if (why.startsWith('key:')) askForKey()
  throw new Error(why)
}

function askForKey() {
  for (const id of ['welcome', 'phones', 'moments']) $(id).hidden = true
  $('locked').hidden = false
}

async function start() {
  const { app, token: first } = await token()
  const config = {
    getToken: async () => (await token()).token,
    ui: false, // the elements are in the page already
    webSocket: wire.WebSocket,
    transports: ['websocket'],
    storage: { local: localStorage, session: ownStorage() },
  }
  await Ringline.init(app, '', user, user, first, config, callbacks)
}

// Two phones in one tab share a sessionStorage. Each must keep its own device id.
function ownStorage() {
  const key = (name) => `${user}.${name}`
  return {
    getItem: (name) => sessionStorage.getItem(key(name)),
    setItem: (name, value) => sessionStorage.setItem(key(name), value),
  }
}

// The attributes of the button name the callees.
function aim() {
  const chosen = [...$('people').querySelectorAll('input:checked')].map((box) => box.value)
  const callees = [...new Set([...chosen, ...$('others').value.split(/[\s,]+/).filter(Boolean)])]
  const button = $('call')
  button.setAttribute('callees', JSON.stringify(callees.map((name) => ({ userID: name, userName: name }))))
  button.setAttribute('call-type', new FormData($('dial')).get('kind'))
  button.toggleAttribute('disabled', callees.length === 0)
}

function fillPhone() {
  $('me').textContent = user
  face($('face'), user)
  document.title = `${user} · Ringline`
  const choices = others(user).map((name, i) => {
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', value: name, defaultChecked: i === 0 })
    const label = document.createElement('label')
    label.append(box, name)
    return label
  })
  $('others').before(...choices)
  $('dial').oninput = aim
  $('dial').onsubmit = (e) => e.preventDefault()
  aim()
  // Shows the result of the button's call too.
  $('call').addEventListener('ringline-call', ({ detail }) => record('sendCallInvitation', [detail]))
  $('call').addEventListener('ringline-error', ({ detail }) => record('sendCallInvitation', [detail]))
  $('offline').onclick = goOffline
}

async function goOffline() {
  const button = $('offline')
  button.disabled = true
  wire.cut()
  showState('connecting')
  for (let left = 10; left > 0; left--) {
    button.textContent = `Back in ${left} s`
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  wire.restore()
  button.textContent = 'Offline 10 s'
  button.disabled = false
}

const embedded = (query.get('phones') ?? '').split(',').filter(Boolean)

function addPhone(name) {
  const pane = Object.assign(document.createElement('iframe'), { src: '/?pane&' + new URLSearchParams({ key, user: name }), title: `Phone of ${name}`, allow: 'autoplay' })
  $('another').before(pane)
  const next = free()[0]
  $('another').hidden = next === undefined || embedded.length >= 3
  $('another').querySelector('b').textContent = 'Open another phone'
  $('another').querySelector('span').textContent = `for ${next}`
}

const free = () => others(user).filter((name) => !embedded.includes(name))

function openAnother() {
  const name = free()[0]
  embedded.push(name)
  addPhone(name)
  query.set('phones', embedded.join())
  history.replaceState(null, '', `?${query}`)
}

function watch() {
  channel.onmessage = ({ data }) => data.callback && moments.callback(data.callback)
  const events = new EventSource('/dev/events?' + new URLSearchParams({ key }))
  events.onmessage = ({ data }) => moments.message(JSON.parse(data))
  $('clear').onclick = () => moments.clear()
}

if (!key) {
  askForKey()
} else if (!user) {
  $('welcome').hidden = false
  $('who').onsubmit = (e) => {
    e.preventDefault()
    const name = $('name').value.trim()
    location.search = new URLSearchParams({ key, user: name, ...(e.submitter?.value === 'one' ? {} : { phones: others(name)[0] }) })
  }
} else {
  document.body.classList.toggle('pane', isPane)
  $('phones').hidden = false
  $('another').hidden = isPane
  fillPhone()
  if (!isPane) {
    $('moments').hidden = false
    watch()
    embedded.forEach(addPhone)
    $('another').onclick = openAnother
    if (embedded.length === 0) $('another').querySelector('span').textContent = `${free()[0]}’s, next to this one`
  }
  start().catch((e) => record('init', [{ code: e.code, message: e.message }]))
}
