// A foreign WhatsApp client: Baileys, linked to the sandbox as a companion of a simulated phone.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const DEADLINE = 30_000

/** Asks again and again until there is an answer. */
export async function eventually(what, ask, deadline = DEADLINE) {
  const end = Date.now() + deadline
  for (let wait = 10; ; wait = Math.min(wait * 2, 200)) {
    const answer = await ask()
    if (answer !== undefined && answer !== null && answer !== false) return answer
    if (Date.now() > end) throw new Error(`gave up after ${deadline} ms waiting until ${what}`)
    await pause(wait)
  }
}

/** The sandbox's control API. */
export class Network {
  constructor(base) {
    this.base = base
  }

  async post(path, body) {
    const response = await fetch(`${this.base}/control/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`)
    return answer
  }

  async get(path) {
    const response = await fetch(`${this.base}/control/${path}`)
    return response.json()
  }
}

// Baileys speaks to its log about everything it does not know yet; only errors matter here.
const quiet = {
  level: 'silent',
  child: () => quiet,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error(...words) {
    if (process.env.BAILEYS_LOG) console.error(...words)
  },
  fatal(...words) {
    console.error(...words)
  },
}

/** One account's companion. Keeps its credentials in a temporary folder, as Baileys' own examples do. */
export class Peer {
  constructor(baileys, network, url, number) {
    Object.assign(this, { baileys, network, url, number })
    this.folder = mkdtempSync(join(tmpdir(), 'kabar-baileys-'))
    this.received = []
    this.updates = []
    this.opened = 0
    this.closing = false
  }

  /** The account's address by phone number. */
  get jid() {
    return `${this.number.replace('+', '')}@s.whatsapp.net`
  }

  async link() {
    await this.connect()
    await eventually(`${this.number} is linked`, () => this.opened > 0)
  }

  async connect() {
    const { makeWASocket, useMultiFileAuthState, makeCacheableSignalKeyStore } = this.baileys
    const { state, saveCreds } = await useMultiFileAuthState(this.folder)
    const socket = makeWASocket({
      waWebSocketUrl: this.url,
      auth: { creds: state.creds, keys: makeCacheableSignalKeyStore(state.keys, quiet) },
      logger: quiet,
      syncFullHistory: false,
      markOnlineOnConnect: true,
      connectTimeoutMs: 10_000,
      getMessage: async () => undefined,
    })
    this.socket = socket
    socket.ev.on('creds.update', saveCreds)
    socket.ev.on('connection.update', update => this.changed(socket, update))
    socket.ev.on('messages.upsert', ({ messages }) => this.received.push(...messages))
    socket.ev.on('messages.update', updates => this.updates.push(...updates))
    socket.ev.on('message-receipt.update', updates => this.updates.push(...updates))
  }

  async changed(socket, { connection, qr, lastDisconnect }) {
    if (socket !== this.socket) return
    if (qr && !this.scanned) {
      this.scanned = true
      this.network.post('scan-qr', { number: this.number, qr }).catch(error => console.error(error.message))
    }
    if (connection === 'open') this.opened += 1
    if (connection === 'close' && !this.closing) {
      const status = lastDisconnect?.error?.output?.statusCode
      if (status === 401) throw new Error(`${this.number} was logged out`)
      await this.connect()
    }
  }

  async text(to, text) {
    const sent = await this.socket.sendMessage(to, { text })
    return sent.key.id
  }

  /** The message with this text, once it arrived and was decrypted. */
  hears(text) {
    return eventually(`${this.number} hears ${JSON.stringify(text)}`, () => this.received.find(message => bodyOf(message) === text))
  }

  count(text) {
    return this.received.filter(message => bodyOf(message) === text).length
  }

  /** Waits until our message with this id has at least this status (3 delivered, 4 read). */
  sees(id, status) {
    return eventually(`${this.number} sees status ${status} of ${id}`, () =>
      this.updates.some(({ key, update, receipt }) => {
        if (key.id !== id) return false
        if (update?.status >= status) return true
        if (receipt?.readTimestamp) return true
        return Boolean(receipt?.receiptTimestamp) && status <= 3
      }),
    )
  }

  /** Cuts the connection and waits for the next. */
  async reconnect() {
    const before = this.opened
    await this.network.post('disrupt', { number: this.number, disruption: 'dropSocket' })
    await eventually(`${this.number} is connected again`, () => this.opened > before)
  }

  close() {
    this.closing = true
    this.socket?.end(undefined)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export function bodyOf(message) {
  return message.message?.conversation ?? message.message?.extendedTextMessage?.text
}
