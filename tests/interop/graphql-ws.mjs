// The graphql-ws client subscribes to Kabar's events, is cut off, and resumes.

import assert from 'node:assert/strict'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { Kabar } from './kabar.mjs'

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

// The place to begin at is read first: a subscription begins whenever it reaches the server, the place stays.
const { events: newest } = await kabar.query('{ events(last: 1) { nodes { cursor } } }')
let after = newest.nodes[0].cursor
const cursors = []

/** Reads events, each behind the last one read, until one of them tells that a message was delivered. */
async function listen() {
  const events = client.iterate({
    query: `subscription($after: Cursor) { events(after: $after) {
      cursor ... on MessageStatusEvent { status message { id } } } }`,
    variables: { after },
  })
  for await (const { data, errors } of events) {
    assert.equal(errors, undefined)
    cursors.push(data.events.cursor)
    after = data.events.cursor
    const { status, message } = data.events
    if (['DELIVERED', 'READ'].includes(status)) return message.id
  }
}

const first = listen()
const one = await kabar.send(DEVICE_ID, { phone: THIRD_NUMBER }, 'one')
assert.equal(await first, one)
sockets.at(-1).terminate()
const two = await kabar.send(DEVICE_ID, { phone: THIRD_NUMBER }, 'two')
await kabar.until(two, ['DELIVERED', 'READ'])
while ((await listen()) !== two);
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
