// Baileys, linked to the sandbox, talks with a device of Kabar: texts, receipts, a group, and again after a reconnect.
//
// node baileys.mjs PACKAGE, with the addresses in the environment.

import assert from 'node:assert/strict'
import { Kabar } from './kabar.mjs'
import { Network, Peer, bodyOf, eventually } from './peer.mjs'

const [name] = process.argv.slice(2)
const { NETWORK_URL, NETWORK_CONTROL, DEVICE_ID, DEVICE_NUMBER, PEER_NUMBER } = process.env
const baileys = await import(name)
const network = new Network(NETWORK_CONTROL)
const kabar = new Kabar(process.env)
const peer = new Peer(baileys, network, NETWORK_URL, PEER_NUMBER)
const device = `${DEVICE_NUMBER.replace('+', '')}@s.whatsapp.net`

async function step(what, body) {
  const began = Date.now()
  await body()
  console.log(`ok - ${what} (${Date.now() - began} ms)`)
}

async function texts(round) {
  await step(`${round}: Kabar writes, the peer hears it once`, async () => {
    const id = await kabar.send(DEVICE_ID, { phone: PEER_NUMBER }, `from Kabar, ${round}`)
    const message = await peer.hears(`from Kabar, ${round}`)
    await kabar.until(id, ['DELIVERED', 'READ'])
    await peer.socket.readMessages([message.key])
    await kabar.until(id, ['READ'])
    assert.equal(peer.count(`from Kabar, ${round}`), 1)
  })
  await step(`${round}: the peer writes, Kabar stores it and tells that it was read`, async () => {
    const id = await peer.text(device, `from the peer, ${round}`)
    const message = await kabar.hears(DEVICE_ID, `from the peer, ${round}`)
    assert.equal(message.sender.phoneNumber, PEER_NUMBER)
    assert.equal(message.whatsappId, id)
    await peer.sees(id, 3)
    await kabar.markRead(message.chat.id)
    await peer.sees(id, 4)
  })
}

async function group(jid, round) {
  await step(`${round}: Kabar writes to the group`, async () => {
    const id = await kabar.send(DEVICE_ID, { jid }, `to all, ${round}`)
    const message = await peer.hears(`to all, ${round}`)
    assert.equal(message.key.remoteJid, jid)
    await kabar.until(id, ['DELIVERED', 'READ'])
  })
  await step(`${round}: the peer writes to the group`, async () => {
    await peer.text(jid, `from one to all, ${round}`)
    const message = await kabar.hears(DEVICE_ID, `from one to all, ${round}`)
    assert.equal(message.chat.jid, jid)
    assert.equal(message.chat.kind, 'GROUP')
  })
}

try {
  await step('the peer links by QR code', () => peer.link())
  await texts('first')
  const { jid } = await network.post('groups', {
    owner: PEER_NUMBER,
    subject: 'Foreigners',
    participants: [DEVICE_NUMBER, process.env.THIRD_NUMBER],
  })
  await group(jid, 'first')
  await step('the peer loses its connection and logs in again', () => peer.reconnect())
  await texts('after a reconnect')
  await group(jid, 'after a reconnect')
  await step('a phone hears both sides of the group', async () => {
    const wanted = ['to all, first', 'from one to all, first', 'to all, after a reconnect', 'from one to all, after a reconnect']
    await eventually('the third phone has them all', async () => {
      const rows = await network.get(`received?number=${encodeURIComponent(process.env.THIRD_NUMBER)}&limit=100`)
      const heard = rows.map(row => row.text)
      return wanted.every(text => heard.filter(other => other === text).length === 1)
    })
  })
  await step('nothing was undecryptable', async () => {
    const broken = peer.received.filter(message => message.messageStubType === 2)
    assert.deepEqual(broken.map(message => [message.key, bodyOf(message)]), [])
  })
} finally {
  peer.close()
}
process.exit(0)
