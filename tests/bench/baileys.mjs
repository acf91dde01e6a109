// The benchmark's second rival: Baileys, many clients in one Node process, with its credentials in memory.
//
// Obeys the same commands as bare-client: one JSON object per line in, one per line out.

import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

console.info = () => {} // Its Signal library prints sessions, with their keys.
const { makeWASocket, initAuthCreds, makeCacheableSignalKeyStore } = await import('baileys')
const [url, control, window] = process.argv.slice(2)
const quiet = { level: 'silent', child: () => quiet, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
const counters = { connected: 0, received: 0, acknowledged: 0 }
const LINKING = 8
/** How many texts of one client may be without an acknowledgement. */
const WINDOW = Number(window)

/** Baileys' key store in a Map. */
function memory() {
  const kept = new Map()
  return {
    async get(type, ids) {
      return Object.fromEntries(ids.map(id => [id, kept.get(`${type} ${id}`)]).filter(([, value]) => value))
    },
    async set(data) {
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values ?? {}))
          if (value) kept.set(`${type} ${id}`, value)
          else kept.delete(`${type} ${id}`)
    },
  }
}

class One {
  constructor(number) {
    this.number = number
    this.creds = initAuthCreds()
    this.keys = makeCacheableSignalKeyStore(memory(), quiet)
    this.waiting = new Set()
    this.opened = new Promise(resolve => (this.open = resolve))
  }

  connect() {
    const socket = makeWASocket({
      waWebSocketUrl: url,
      auth: { creds: this.creds, keys: this.keys },
      logger: quiet,
      syncFullHistory: false,
      getMessage: async () => undefined,
    })
    this.socket = socket
    socket.ev.on('creds.update', update => Object.assign(this.creds, update))
    socket.ev.on('connection.update', async ({ connection, qr }) => {
      if (qr && !this.scanned) {
        this.scanned = true
        const body = JSON.stringify({ number: this.number, qr })
        await fetch(`${control}/control/scan-qr`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      }
      if (connection === 'open') {
        counters.connected += 1
        this.open()
      }
      if (connection === 'close') setTimeout(() => this.connect(), 500)
    })
    socket.ws.on('CB:ack,class:message', ({ attrs }) => {
      if (this.waiting.delete(attrs.id)) counters.acknowledged += 1
    })
    socket.ev.on('messages.upsert', ({ messages }) => (counters.received += messages.length))
  }

  async send(to, text) {
    while (this.waiting.size >= WINDOW) await pause(1)
    const { key } = await this.socket.sendMessage(to, { text })
    this.waiting.add(key.id)
  }
}

const all = []

async function until(what, counter, wanted) {
  const end = Date.now() + 300_000
  while (counters[counter] < wanted) {
    if (Date.now() > end) throw new Error(`${what}: ${counters[counter]} of ${wanted}`)
    await pause(1)
  }
}

const commands = {
  async link({ numbers }) {
    const queue = [...numbers]
    const worker = async () => {
      for (let number; (number = queue.shift()); ) {
        const one = new One(number)
        all.push(one)
        one.connect()
        await one.opened
      }
    }
    await Promise.all(Array.from({ length: LINKING }, worker))
  },
  async send({ to, count, from }) {
    counters.acknowledged = 0
    const jids = to.map(number => `${number.replace('+', '')}@s.whatsapp.net`)
    await Promise.all(
      all.slice(0, from).map(async (one, index) => {
        for (let text = index; text < count; text += from)
          await one.send(jids[(Math.floor(text / from) + index) % jids.length], `text ${text}`)
      }),
    )
    // An ack may come before sendMessage returns the id that it belongs to.
    const end = Date.now() + 2000
    while (counters.acknowledged < count && Date.now() < end && all.some(one => one.waiting.size)) await pause(1)
  },
  async reset() {
    counters.connected = counters.received = 0
  },
  async received({ count }) {
    await until('the first text came', 'received', 1)
    const first = performance.now()
    await until('all texts came', 'received', count)
    return (performance.now() - first) / 1000
  },
  async connected({ count }) {
    await until('all are connected', 'connected', count)
  },
}

console.log(JSON.stringify({ ok: true }))
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  const began = performance.now()
  const own = await commands[command.do](command)
  console.log(JSON.stringify({ ok: true, seconds: own ?? (performance.now() - began) / 1000 }))
}
process.exit(0)
