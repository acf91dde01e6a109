// The graphql-ws client subscribes to Kabar's events, is cut off, and resumes.

import assert from 'node:assert/strict'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { Kabar } from './kabar.mjs'
import { eventually } from './peer.mjs'

const kabar = new Kabar(process.env)
const { DEVICE_ID, THIRD_NUMBER } = process.env
const sockets = []
class Recorded extends WebSocket {
  constructor(...all) {
    super(...all)
    sockets.push(this)
  }
}
const client = createClient({
  url: `${kabar.base.replace('http', 'ws')}/graphql`,
  webSocketImpl: Recorded,
  connectionParams: { authorization: `Bearer ${kabar.token}` },
  retryAttempts: 5,
  shouldRetry: () => true,
})

const cursors = []
let after = null
async function listen(wanted) {
  const events = client.iterate({
    query: 'subscription($after: Cursor) { events(after: $after) { cursor type } }',
    variables: { after },
  })
  for await (const { data, errors } of events) {
    assert.equal(errors, undefined)
    cursors.push(data.events.cursor)
    after = data.events.cursor
    if (wanted(data.events)) return
  }
}

let statuses = 0
const first = listen(event => event.type === 'MESSAGE_STATUS' && ++statuses >= 3)
await eventually('the socket is open', () => sockets.some(socket => socket.readyState === 1))
await kabar.send(DEVICE_ID, { phone: THIRD_NUMBER }, 'one')
await first
sockets.at(-1).terminate()
statuses = 0
const id = await kabar.send(DEVICE_ID, { phone: THIRD_NUMBER }, 'two')
await kabar.until(id, ['DELIVERED', 'READ'])
await listen(event => event.type === 'MESSAGE_STATUS' && ++statuses >= 3)
assert.equal(new Set(cursors).size, cursors.length, 'an event came twice')
console.log(`ok - ${cursors.length} events over ${sockets.length} sockets, each once`)

const stranger = createClient({
  url: `${kabar.base.replace('http', 'ws')}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: 'Bearer nonsense' },
  retryAttempts: 0,
})
const told = await new Promise(resolve => {
  stranger.subscribe(
    { query: 'subscription { deviceUpdated { id } }' },
    {
      next: value => resolve(value),
      error: resolve,
      complete: () => resolve('completed'),
    },
  )
})
const text = JSON.stringify(told?.errors ?? told?.code ?? told)
assert.match(text, /UNAUTHENTICATED|4401|4403/)
console.log(`ok - a stranger is told ${text}`)
process.exit(0)
