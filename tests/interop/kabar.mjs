// What the scripts need of Kabar's API, through fetch.

import { eventually } from './peer.mjs'

export class Kabar {
  constructor({ KABAR_BASE, KABAR_TOKEN }) {
    this.base = KABAR_BASE
    this.token = KABAR_TOKEN
  }

  async query(query, variables = {}) {
    const response = await fetch(`${this.base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = await response.json()
    if (errors?.length) throw new Error(JSON.stringify(errors))
    return data
  }

  async send(deviceId, to, body) {
    const { sendMessage } = await this.query(
      `mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } userErrors { code message } } }`,
      { input: { deviceId, to, content: { text: { body } } } },
    )
    if (sendMessage.userErrors.length) throw new Error(JSON.stringify(sendMessage.userErrors))
    return sendMessage.message.id
  }

  until(id, statuses) {
    let last
    return eventually(`message ${id} is ${statuses.join(' or ')}`, async () => {
      const { node } = await this.query(
        `query($id: ID!) { node(id: $id) { ... on Message { status error { code message } } } }`,
        { id },
      )
      last = node
      if (node.status === 'FAILED') throw new Error(JSON.stringify(node))
      return statuses.includes(node.status)
    }).catch(error => {
      throw new Error(`${error.message}; last seen ${JSON.stringify(last)}`)
    })
  }

  hears(deviceId, body) {
    return eventually(`Kabar stores ${JSON.stringify(body)}`, async () => {
      const { messages } = await this.query(
        `query($where: MessageFilter) { messages(where: $where, first: 50, orderBy: CREATED_DESC) { nodes {
          whatsappId sender { phoneNumber jid } chat { id jid kind } content { ... on TextContent { body } } } } }`,
        { where: { deviceId, direction: 'IN' } },
      )
      return messages.nodes.find(message => message.content?.body === body)
    })
  }

  async markRead(chatId) {
    await this.query(`mutation($id: ID!) { markChatRead(chatId: $id) { userErrors { code message } } }`, { id: chatId })
  }
}
