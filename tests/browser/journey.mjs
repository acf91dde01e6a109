// The console's journey, as a person makes it: log in, link an account, write, watch the ticks, hear the answer.
//
// node journey.mjs, with KABAR_BASE, EMAIL, PASSWORD, SCREENSHOTS and CHROMIUM in the environment.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const { KABAR_BASE, EMAIL, PASSWORD, SCREENSHOTS, CHROMIUM } = process.env
const DEVICE_NUMBER = '+6281234567890'
const FRIEND_NUMBER = '+6281298765432'
const SISTER_NUMBER = '+6281122334455'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const profile = mkdtempSync(join(tmpdir(), 'kabar-chromium-'))
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: CHROMIUM,
  headless: true,
  viewport: { width: 1280, height: 800 },
  locale: 'en-GB',
  colorScheme: 'light',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
browser.setDefaultTimeout(20_000)
const complaints = []
const guests = []
let password = PASSWORD
/** What an authenticator app shows now (RFC 6238). */
function totp(secret) {
  const bits = [...secret].map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}
function watch(page) {
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => {
    // The refused login of the first step is a 200 with a user error; nothing else may complain.
    if (message.type() === 'error') complaints.push(message.text())
  })
  return page
}
const page = watch(browser.pages()[0] ?? (await browser.newPage()))

let pictures = 0
async function picture(name, of = page) {
  pictures += 1
  await of.screenshot({ path: join(SCREENSHOTS, `${String(pictures).padStart(2, '0')}-${name}.png`) })
}

const faults = []
/** Looks for serious faults of accessibility in what is shown now; they are told together at the end. */
async function accessible(name, of = page) {
  // What is fading in is not what a person reads: its contrast is measured when it stands.
  await of.evaluate(() => {
    const moving = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity)
    return Promise.allSettled(moving.map(animation => animation.finished)).then(() => {})
  })
  await of.evaluate(axe)
  // Without preloading: for that axe sets styles, which the page's content security policy refuses.
  const { violations } = await of.evaluate(() =>
    window.axe.run(document, { preload: false, resultTypes: ['violations'] }),
  )
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  for (const { id, help, nodes } of serious)
    faults.push(`${name}: ${id}: ${help} (${nodes.map(node => node.target.join(' ')).join(', ')})`)
}

async function step(what, body) {
  const began = Date.now()
  try {
    await body()
  } catch (error) {
    const shown = []
    for (const [index, other] of browser.pages().entries()) {
      await picture(`failed-${index}`, other).catch(() => {})
      shown.push(`--- ${other.url()}\n${await other.locator('body').innerText().catch(String)}`)
    }
    throw new Error(`${what}: ${error.message}\n${shown.join('\n')}\n${[...new Set(complaints)].join('\n')}`, { cause: error })
  }
  console.log(`ok - ${what} (${Date.now() - began} ms)`)
}

const byId = (id, of = page) => of.getByTestId(id)
const status = (element, wanted) => element.and(page.locator(`[data-status="${wanted}"]`)).first().waitFor()

try {
  await step('a wrong password is told, and the form keeps what was typed', async () => {
    await page.goto(KABAR_BASE)
    await page.getByLabel('Email').fill(EMAIL)
    await page.getByLabel('Password').fill('wrong password')
    await byId('login-submit').click()
    await page.getByText('Email or password is wrong.').waitFor()
    assert.equal(await page.getByLabel('Email').inputValue(), EMAIL)
    await picture('login-refused')
    await accessible('login')
  })

  await step('the right one opens the overview', async () => {
    await page.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await picture('overview-empty')
    await accessible('overview')
  })

  await step('a device is created', async () => {
    await page.getByRole('link', { name: 'Devices', exact: true }).first().click()
    await picture('devices-empty')
    await byId('create-device').first().click()
    const dialog = byId('create-device-dialog')
    await dialog.getByLabel('Name').fill('Support')
    await picture('device-form')
    await byId('create-device-submit').click()
    await page.getByRole('heading', { name: 'Support', level: 1 }).waitFor()
    await accessible('device')
  })

  await step('its QR code is scanned by a simulated phone', async () => {
    await byId('link-device').click()
    await byId('qr').waitFor()
    const code = await byId('qr').getAttribute('data-text')
    assert.match(code, /,/)
    await byId('sandbox-number').fill(DEVICE_NUMBER)
    await picture('link-qr')
    await accessible('linking')
    await byId('sandbox-scan').click()
    await byId('celebration').waitFor()
    await picture('linked')
    await status(byId('device-status'), 'Connected')
  })

  await step('a friend gets a phone that reads what it receives', async () => {
    await page.getByRole('link', { name: 'Sandbox' }).first().click()
    await byId('create-phone').first().click()
    await byId('phone-number').fill(FRIEND_NUMBER)
    await byId('phone-name').fill('Budi')
    await byId('create-phone-submit').click()
    await page.getByRole('heading', { level: 1, name: '+62 812-9876-5432' }).waitFor()
    await page.getByText('Budi').first().waitFor()
    await page.getByLabel('Reads').check()
    await picture('sandbox-phone')
    await accessible('sandbox phone')
  })

  await step('a text is written to the friend, and its ticks turn live', async () => {
    await page.getByRole('link', { name: /^Inbox/ }).first().click()
    await picture('inbox-empty')
    await byId('new-chat').first().click()
    await byId('new-chat-number').fill('+62 812-9876-5432')
    await byId('new-chat-body').fill('Halo Budi, apa kabar?')
    await byId('new-chat-send').click()
    const message = byId('message').filter({ hasText: 'Halo Budi, apa kabar?' })
    await message.waitFor()
    await status(message, 'Read')
    await picture('inbox-read')
    await accessible('inbox')
  })

  const phone = watch(await browser.newPage())
  await step('the friend answers on the phone, and the answer appears without reloading', async () => {
    await phone.goto(`${KABAR_BASE}/sandbox/${FRIEND_NUMBER.slice(1)}`)
    await byId('phone-message', phone).filter({ hasText: 'Halo Budi, apa kabar?' }).waitFor()
    const line = byId('ledger-line', phone).first()
    assert.equal(await line.getAttribute('data-times'), '1')
    await byId('phone-text', phone).fill('Baik! Bagaimana denganmu?')
    await byId('phone-send', phone).click()
    const answer = byId('message').filter({ hasText: 'Baik! Bagaimana denganmu?' })
    await answer.waitFor()
    assert.equal(await answer.getAttribute('data-direction'), 'IN')
    await picture('phone-answers', phone)
    await picture('inbox-answered')
  })

  await step('another text is sent from the conversation with Enter', async () => {
    await byId('composer-text').fill('Baik juga.')
    await byId('composer-text').press('Enter')
    await status(byId('message').filter({ hasText: 'Baik juga.' }), 'Read')
    assert.equal(await byId('composer-text').inputValue(), '')
  })

  await step('a link shows what its page says, when that is asked for', async () => {
    const photo = await page.screenshot()
    const html = `<title>Rendang Padang</title><meta name="description" content="Masak dengan api kecil sampai santan mengering.">
      <meta property="og:image" content="/foto.png">`
    let answer
    const asked = new Promise(resolve => (answer = resolve))
    const website = createServer((request, response) => {
      if (request.url !== '/foto.png') return answer(() => response.setHeader('content-type', 'text/html').end(html))
      response.setHeader('content-type', 'image/png').end(photo)
    })
    await new Promise(resolve => website.listen(0, '127.0.0.1', resolve))
    const link = `http://127.0.0.1:${website.address().port}/resep`
    await byId('composer-text').fill(`Lihat ${link}`)
    await byId('composer-preview').check()
    await picture('composer-preview')
    await byId('composer-text').press('Enter')
    const show = await asked
    // Written while the page is still being fetched: it must not overtake the link.
    await byId('composer-text').fill('Bagaimana menurutmu?')
    await byId('composer-preview').waitFor({ state: 'detached' })
    await byId('composer-text').press('Enter')
    show()
    const message = byId('message').filter({ hasText: link })
    const card = byId('link-preview', message)
    await card.filter({ hasText: 'Rendang Padang' }).waitFor()
    assert.equal(await card.getAttribute('href'), link)
    await card.locator('img').waitFor()
    await status(byId('message').filter({ hasText: 'Bagaimana menurutmu?' }), 'Read')
    await status(message, 'Read')
    const arrived = text => byId('ledger-line', phone).filter({ hasText: text })
    const place = async text => Number(await arrived(text).locator('td').first().innerText())
    assert.ok((await place(link)) < (await place('Bagaimana menurutmu?')))
    await picture('inbox-link-preview')
    await accessible('inbox with a preview')
    website.close()
  })

  await step('what comes in elsewhere counts as unread until it is opened', async () => {
    await page.getByRole('link', { name: 'Overview' }).first().click()
    await byId('phone-text', phone).fill('Sampai jumpa!')
    await byId('phone-send', phone).click()
    await page.getByRole('link', { name: /^Inbox/ }).first().click()
    await byId('unread').filter({ hasText: '1' }).first().waitFor()
    await picture('inbox-unread')
    await byId('chat-row').first().click()
    await byId('message').filter({ hasText: 'Sampai jumpa!' }).waitFor()
    await byId('unread').first().waitFor({ state: 'detached' })
  })

  /** Asks the API beside the console, as the same person. */
  let token
  const graphql = async (query, variables = {}) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const answer = await fetch(`${KABAR_BASE}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
    const { data, errors } = await answer.json()
    assert.equal(errors, undefined, JSON.stringify(errors))
    return data
  }

  await step('in a group people are mentioned, and have names', async () => {
    const login = 'mutation($input: LoginInput!) { login(input: $input) { accessToken } }'
    token = (await graphql(login, { input: { email: EMAIL, password } })).login.accessToken
    const create = 'mutation($input: SandboxCreatePhoneInput!) { sandboxCreatePhone(input: $input) { userErrors { message } } }'
    await graphql(create, { input: { number: SISTER_NUMBER, name: 'Citra' } })
    const found = 'mutation($input: SandboxCreateGroupInput!) { sandboxCreateGroup(input: $input) { group { jid } userErrors { message } } }'
    const participants = [DEVICE_NUMBER, FRIEND_NUMBER]
    const { group } = (await graphql(found, { input: { owner: SISTER_NUMBER, subject: 'Arisan', participants } })).sandboxCreateGroup
    const digits = number => number.slice(1)
    const text = `@all Besok di rumah @${digits(SISTER_NUMBER)}. @${digits(FRIEND_NUMBER)} bawa kue, @${digits(DEVICE_NUMBER)} minuman ya! 12@345`
    const input = { from: SISTER_NUMBER, to: { group: group.jid }, text, mentions: [SISTER_NUMBER, ...participants], mentionEveryone: true }
    const write = 'mutation($input: SandboxSendInput!) { sandboxSend(input: $input) { userErrors { message } } }'
    await graphql(write, { input })

    const row = byId('chat-row').filter({ hasText: 'Besok di rumah' })
    await row.filter({ hasText: '@Budi bawa kue' }).click()
    const message = byId('message').filter({ hasText: 'Besok di rumah' })
    const mentions = byId('mention', message)
    await mentions.nth(3).waitFor()
    const names = await mentions.allInnerTexts()
    // The account itself is called what its phone calls itself.
    const own = `@Phone ${digits(DEVICE_NUMBER)}`
    assert.deepEqual(names, ['@everyone', '@+62 811-2233-4455', '@Budi', own])
    assert.deepEqual(await mentions.evaluateAll(all => all.map(one => one.classList.contains('own'))), [true, false, false, true])
    await picture('inbox-mentions')
    await accessible('inbox with mentions')

    const composer = byId('composer-text')
    await composer.pressSequentially('Siap @')
    await byId('mention-option').nth(1).waitFor()
    assert.deepEqual(await byId('mention-option').locator('.mention-option-name').allInnerTexts(), ['@all', '@Citra'])
    await picture('composer-mentions')
    await accessible('composer with mentions')
    await composer.pressSequentially('ci')
    await composer.press('Enter')
    await byId('mention-option').first().waitFor({ state: 'detached' })
    assert.equal(await composer.inputValue(), 'Siap @Citra ')
    await composer.pressSequentially('dan @')
    await composer.press('ArrowUp')
    await composer.press('ArrowDown')
    await composer.press('Tab')
    await composer.press('Enter')
    const sent = byId('message').filter({ hasText: 'Siap' })
    await byId('mention', sent).nth(1).waitFor()
    assert.deepEqual(await byId('mention', sent).allInnerTexts(), ['@+62 811-2233-4455', '@everyone'])
    await status(sent, 'Read')
    const ledger = 'query($number: PhoneNumber!) { sandbox { phone(number: $number) { received(first: 1) { nodes { text mentions mentionsEveryone } } } } }'
    const { nodes } = (await graphql(ledger, { number: SISTER_NUMBER })).sandbox.phone.received
    const expected = `Siap @${digits(SISTER_NUMBER)} dan @all`
    assert.deepEqual(nodes, [{ text: expected, mentions: [`${digits(SISTER_NUMBER)}@s.whatsapp.net`], mentionsEveryone: true }])

    await page.emulateMedia({ colorScheme: 'dark' })
    await picture('inbox-mentions-dark')
    await accessible('inbox with mentions, dark')
    await page.setViewportSize({ width: 390, height: 800 })
    await composer.pressSequentially('@')
    await byId('mention-option').nth(1).waitFor()
    await picture('composer-mentions-narrow')
    await composer.press('Escape')
    await byId('mention-option').first().waitFor({ state: 'detached' })
    await composer.fill('')
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.emulateMedia({ colorScheme: 'light' })
    await byId('chat-row').filter({ hasText: 'Sampai jumpa!' }).click()
    await byId('message').filter({ hasText: 'Sampai jumpa!' }).waitFor()
  })

  await step('reloading keeps the session and the conversation', async () => {
    await page.reload()
    await byId('message').filter({ hasText: 'Sampai jumpa!' }).waitFor()
    await page.getByRole('link', { name: 'Overview' }).first().click()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await picture('overview')
  })

  await step('the palette goes anywhere by keyboard', async () => {
    await page.keyboard.press('Control+k')
    await byId('palette').waitFor()
    await page.keyboard.type('Devices')
    await picture('palette')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor()
    await picture('devices')
    await accessible('devices')
  })

  const choose = async name => {
    await byId('device-menu').click()
    await page.getByRole('menuitem', { name, exact: true }).click()
  }
  await step('a device is edited, and restarted with its link kept', async () => {
    await byId('device-card').first().getByRole('link').first().click()
    await choose('Edit')
    const dialog = byId('edit-device-dialog')
    assert.equal(await dialog.getByLabel('Name').inputValue(), 'Support')
    await dialog.getByLabel('Name').fill('Support desk')
    await picture('device-edit')
    await byId('edit-device-submit').click()
    await page.getByRole('heading', { name: 'Support desk', level: 1 }).waitFor()
    await choose('Restart')
    await page.getByText('Restarting.').first().waitFor()
    await status(byId('device-status'), 'Connected')
  })

  await step('a phone that is switched off gets its message when it is back', async () => {
    await phone.getByLabel('Online').uncheck()
    await page.goto(`${KABAR_BASE}/inbox`)
    await byId('chat-row').filter({ hasText: 'Sampai jumpa!' }).click()
    await byId('composer-text').fill('Sudah tidur?')
    await byId('composer-text').press('Enter')
    const message = byId('message').filter({ hasText: 'Sudah tidur?' })
    await status(message, 'Sent')
    await phone.getByLabel('Online').check()
    await status(message, 'Read')
    await byId('phone-message', phone).filter({ hasText: 'Sudah tidur?' }).waitFor()
    await page.goto(`${KABAR_BASE}/devices`)
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor()
  })

  /** Another browser, in which nobody is signed in. */
  const guest = async () => {
    const context = await browser.browser().newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
    context.setDefaultTimeout(20_000)
    guests.push(context)
    return watch(await context.newPage())
  }

  await step('somebody is invited, and joins in another browser', async () => {
    await page.getByRole('link', { name: 'Settings', exact: true }).first().click()
    await page.getByRole('heading', { name: 'Members', level: 1 }).waitFor()
    await byId('invite').click()
    await byId('invite-email').fill('sari@kabar.test')
    await byId('invite-role').selectOption({ label: 'Agent' })
    await byId('invite-submit').click()
    const link = await byId('secret').innerText()
    await picture('invitation-link')
    await accessible('invitation link')
    await byId('secret-done').click()
    await byId('invitation').filter({ hasText: 'sari@kabar.test' }).waitFor()
    await byId('roles').click()
    await page.getByText('Make and unmake owners').waitFor()
    await picture('members')
    await accessible('members')

    const other = await guest()
    await other.goto(link)
    await other.getByRole('heading', { name: /^Join / }).waitFor()
    await byId('your-name', other).fill('Sari')
    await byId('new-password', other).fill('password')
    await byId('password-strength', other).filter({ hasText: 'Guessed at once' }).waitFor()
    await byId('come-in', other).click()
    await other.getByText(/guessed too quickly/).waitFor()
    await picture('join', other)
    await accessible('join', other)
    await byId('new-password', other).fill('gajah-terbang-di-atas-monas')
    await byId('password-strength', other).filter({ hasText: 'Hard to guess' }).waitFor()
    await picture('join-strong', other)
    await byId('come-in', other).click()
    await other.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    // An agent sees who belongs here, and cannot invite.
    await other.goto(`${KABAR_BASE}/settings/members`)
    await byId('member', other).filter({ hasText: 'Sari' }).waitFor()
    assert.equal(await byId('invite', other).count(), 0)
    await other.goto(link)
    await other.getByText('This invitation is over').waitFor()

    await page.reload()
    const row = byId('member').filter({ hasText: 'Sari' })
    await row.getByRole('combobox').selectOption({ label: 'Analyst' })
    await page.getByText('Sari is Analyst now.').waitFor()
    await row.getByTestId('member-actions').click()
    await page.getByRole('menuitem', { name: 'Remove from tenant' }).click()
    await byId('confirm-submit').and(page.locator(':visible')).click()
    await row.waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Devices', exact: true }).first().click()
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor()
  })

  await step('an API token is made, works from a program, and ends when it is revoked', async () => {
    await page.goto(`${KABAR_BASE}/settings/tokens`)
    await byId('create-token').first().click()
    await byId('token-name').fill('Shop')
    await byId('scope-SEND').check()
    await picture('token-form')
    await accessible('token form')
    await byId('token-submit').click()
    const secret = await byId('secret').innerText()
    await picture('token-secret')
    await accessible('token secret')
    await byId('secret-done').click()
    assert.equal(await page.getByText(secret).count(), 0)
    const ask = async () => {
      const answer = await fetch(`${KABAR_BASE}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ viewer { apiToken { name } } }' }),
      })
      return (await answer.json()).data?.viewer.apiToken.name
    }
    assert.equal(await ask(), 'Shop')
    const row = byId('token').filter({ hasText: 'Shop' })
    await row.getByTestId('token-actions').click()
    await page.getByRole('menuitem', { name: 'Edit' }).click()
    assert.ok(await byId('scope-SEND').isChecked())
    await byId('token-name').fill('Shop, production')
    await byId('scope-SEND').uncheck()
    await picture('token-edit')
    await accessible('token edit')
    await byId('token-submit').click()
    await row.filter({ hasText: 'Shop, production' }).filter({ hasNotText: 'SEND' }).waitFor()
    assert.equal(await ask(), 'Shop, production')
    await row.getByTestId('token-actions').click()
    await page.getByRole('menuitem', { name: 'Revoke' }).click()
    await byId('confirm-submit').and(page.locator(':visible')).click()
    await row.filter({ hasText: 'Revoked' }).waitFor()
    const ended = Date.now() + 5_000
    while ((await ask()) !== undefined) assert.ok(Date.now() < ended, 'the token still works')
    await picture('tokens')
    await accessible('tokens')
  })

  let warung
  await step('an operator makes a plan and a tenant, and suspends the tenant', async () => {
    await page.getByRole('link', { name: 'Platform', exact: true }).first().click()
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Plans', exact: true }).click()
    await byId('create-plan').click()
    await byId('plan-name').fill('Small')
    await byId('limit-Devices').fill('2')
    await byId('limit-MessagesPerDay').fill('many')
    await byId('plan-submit').click()
    await page.getByText('Write a whole number, or nothing.').waitFor()
    await byId('limit-MessagesPerDay').fill('1,000')
    await picture('plan-form')
    await accessible('plan form')
    await byId('plan-submit').click()
    await byId('plan').filter({ hasText: '1,000' }).waitFor()
    await accessible('plans')

    await page.getByRole('link', { name: 'Tenants', exact: true }).click()
    await byId('create-tenant').click()
    await byId('new-tenant-name').fill('Warung Sari')
    await byId('new-tenant-owner').fill('owner@warung.test')
    await byId('new-tenant-plan').selectOption({ label: 'Small' })
    await byId('create-tenant-submit').click()
    const password = await byId('secret').innerText()
    await accessible('first password')
    await byId('secret-done').click()

    warung = await guest()
    await warung.goto(KABAR_BASE)
    await byId('email', warung).fill('owner@warung.test')
    await byId('password', warung).fill(password)
    await byId('login-submit', warung).click()
    await warung.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    assert.equal(await warung.getByRole('link', { name: 'Platform', exact: true }).count(), 0)

    const row = byId('tenant-row').filter({ hasText: 'Warung Sari' })
    await row.getByTestId('tenant-actions').click()
    await page.getByRole('menuitem', { name: 'Suspend' }).click()
    await byId('suspend-reason').fill('The invoice is open.')
    await byId('suspend-submit').click()
    await row.filter({ hasText: 'Suspended' }).waitFor()
    await picture('tenants')
    await accessible('tenants')

    await page.getByRole('link', { name: 'Platform settings' }).click()
    await byId('most-Uploads').fill('7')
    await byId('platform-settings-save').click()
    await page.getByText('Saved.').first().waitFor()
    await picture('platform-settings')
    await accessible('platform settings')
  })

  await step('the members of a suspended tenant read why, and what they have used', async () => {
    // The overview has been open all the while, and is told by the event.
    await byId('suspended', warung).filter({ hasText: 'The invoice is open.' }).waitFor()
    await warung.goto(`${KABAR_BASE}/settings/usage`)
    await byId('suspended', warung).filter({ hasText: 'The invoice is open.' }).waitFor()
    const devices = byId('limit', warung).and(warung.locator('[data-meter="Devices"]'))
    await devices.filter({ hasText: '0 of 2' }).waitFor()
    await picture('usage', warung)
    await accessible('usage', warung)
    await warung.goto(`${KABAR_BASE}/settings/general`)
    await warung.getByLabel('Name of the tenant').fill('Warung Budi')
    await byId('settings-save', warung).click()
    await byId('form-error', warung).filter({ hasText: 'This tenant is suspended' }).waitFor()
  })

  await step('an operator enters a tenant for a reason, is told so on every page, and leaves it', async () => {
    await warung.context().close()
    await page.goto(`${KABAR_BASE}/platform/tenants`)
    await byId('tenant-row').getByRole('link', { name: 'Warung Sari' }).click()
    await page.getByRole('heading', { name: /^Warung Sari/, level: 1 }).waitFor()
    await byId('usage-over-time').waitFor()
    await picture('tenant')
    await accessible('tenant')
    await byId('overrides').filter({ hasText: "Every limit is the plan's." }).waitFor()
    await byId('change-limits').click()
    await byId('override-Devices').selectOption({ label: 'Limit of its own' })
    await byId('limits-submit').click()
    await page.getByText('Write a whole number wherever').waitFor()
    await byId('own-Devices').fill('25')
    await byId('override-MessagesPerDay').selectOption({ label: 'No limit' })
    await picture('limits-form')
    await accessible('limits form')
    await byId('limits-submit').click()
    await byId('overrides').filter({ hasText: '25' }).waitFor()
    const limit = byId('limit').and(page.locator('[data-meter="Devices"]'))
    await limit.filter({ hasText: '0 of 25' }).waitFor()
    await byId('overrides').scrollIntoViewIfNeeded()
    await picture('limits-of-its-own')
    await accessible('limits of its own')
    await byId('change-limits').click()
    assert.equal(await byId('own-Devices').inputValue(), '25')
    await byId('override-MessagesPerDay').selectOption({ label: 'As the plan: 1,000' })
    await byId('limits-submit').click()
    await byId('overrides').filter({ hasNotText: 'Messages per day' }).waitFor()
    await byId('enter-tenant').click()
    await byId('enter-submit').click()
    await page.locator('#enter-reason-error').waitFor()
    await byId('enter-reason').fill('The owner asks why nothing is sent.')
    await byId('enter-role').selectOption({ label: 'Admin' })
    await picture('enter-tenant')
    await accessible('enter tenant')
    await byId('enter-submit').click()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await byId('access-banner').filter({ hasText: 'The owner asks why nothing is sent.' }).waitFor()
    await byId('tenant-name').filter({ hasText: 'Warung Sari' }).waitFor()
    await page.goto(`${KABAR_BASE}/settings/general`)
    const [archive] = await Promise.all([page.waitForEvent('download'), byId('export-tenant').click()])
    assert.match(archive.suggestedFilename(), /^warung-sari-.*\.zip$/)
    await byId('access-banner').waitFor()
    await picture('inside-tenant')
    await accessible('inside a tenant')
    await byId('leave-tenant').click()
    await page.getByRole('heading', { name: 'Tenants', level: 1 }).waitFor()
    assert.equal(await byId('access-banner').count(), 0)
    await byId('tenant-row').getByRole('link', { name: 'Warung Sari' }).click()
    await byId('grant').and(page.locator('[data-open="no"]')).waitFor()
    await picture('tenant-after')
    await page.getByRole('link', { name: 'Audit log of this tenant' }).click()
    const granted = byId('audit-entry').and(page.locator('[data-action="TENANT_ACCESS_GRANTED"]'))
    await granted.filter({ hasText: 'Warung Sari' }).waitFor()
    await picture('platform-audit')
    await byId('audit-platform').click()
    await byId('audit-entry').and(page.locator('[data-action="PLAN_CREATED"]')).waitFor()
    assert.equal(await granted.count(), 0)
    assert.match(page.url(), /tenant=none/)
    await picture('platform-audit-own')
    await accessible('platform audit')
  })

  await step('an operator makes a link for a new password, and somebody follows it', async () => {
    await page.goto(`${KABAR_BASE}/platform/tenants`)
    await byId('password-link').click()
    await byId('link-email').fill('nobody@warung.test')
    await byId('link-submit').click()
    await page.locator('#link-email-error').waitFor()
    await byId('link-email').fill('owner@warung.test')
    await picture('password-link')
    await accessible('password link')
    await byId('link-submit').click()
    const link = await byId('secret').innerText()
    await byId('secret-done').click()

    const other = await guest()
    await other.goto(`${KABAR_BASE}/forgotten-password`)
    await byId('request-reset', other).waitFor()
    await picture('forgotten-password', other)
    await accessible('forgotten password', other)
    await other.goto(link)
    await byId('new-password', other).fill('kucing-tidur-di-warung-sari')
    await picture('password-reset', other)
    await accessible('password reset', other)
    await byId('reset-submit', other).click()
    await byId('email', other).fill('owner@warung.test')
    await byId('password', other).fill('kucing-tidur-di-warung-sari')
    await byId('login-submit', other).click()
    await other.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await other.context().close()
  })

  await step('a tenant is deleted when its short name is typed', async () => {
    const row = byId('tenant-row').filter({ hasText: 'Warung Sari' })
    await row.getByTestId('tenant-actions').click()
    await page.getByRole('menuitem', { name: 'Delete tenant' }).click()
    const confirm = byId('confirm-submit').and(page.locator(':visible'))
    assert.ok(await confirm.isDisabled())
    await byId('confirm-name').and(page.locator(':visible')).fill('warung-sari')
    await picture('delete-tenant')
    await accessible('delete tenant')
    await confirm.click()
    await page.getByText('Warung Sari is being deleted.').waitFor()
    // It stays in the list until nothing of it is left.
    await row.filter({ hasText: 'Being deleted' }).or(byId('tenants').filter({ hasNotText: 'Warung Sari' })).first().waitFor()
  })

  await step('the settings of the tenant are changed, and the audit log tells it', async () => {
    await page.goto(`${KABAR_BASE}/settings/general`)
    await byId('tenant-zone').fill('Nowhere')
    await byId('settings-save').click()
    await page.locator('#tenant-zone-error').waitFor()
    await byId('tenant-zone').fill('Asia/Makassar')
    await byId('settings-save').click()
    await page.getByText('Saved.').first().waitFor()
    await picture('general')
    await accessible('general')

    await page.goto(`${KABAR_BASE}/settings/audit`)
    const entries = byId('audit-entry')
    const changed = entries.and(page.locator('[data-action="TENANT_SETTINGS_UPDATED"]')).first()
    await changed.getByTestId('audit-details').click()
    await byId('audit-changes').filter({ hasText: 'Asia/Makassar' }).waitFor()
    await picture('audit-log')
    await accessible('audit log')
    await byId('audit-action').selectOption('API_TOKEN_REVOKED')
    await entries.and(page.locator('[data-action="TENANT_SETTINGS_UPDATED"]')).first().waitFor({ state: 'detached' })
    assert.match(page.url(), /action=API_TOKEN_REVOKED/)
    assert.equal(await entries.count(), 1)
    const [file] = await Promise.all([page.waitForEvent('download'), byId('audit-csv').click()])
    const csv = readFileSync(await file.path(), 'utf8')
    assert.match(csv, /API_TOKEN_REVOKED/i)
    assert.doesNotMatch(csv, /TENANT_SETTINGS_UPDATED/i)
  })

  await step('a session is ended from another one, and the password is changed', async () => {
    const other = await guest()
    await other.goto(KABAR_BASE)
    await byId('email', other).fill(EMAIL)
    await byId('password', other).fill(PASSWORD)
    await byId('login-submit', other).click()
    await other.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await page.goto(`${KABAR_BASE}/settings/account`)
    await byId('end-session').first().click()
    await page.getByText('The session is ended.').waitFor()
    await other.goto(`${KABAR_BASE}/devices`)
    await byId('login-form', other).waitFor()
    await byId('current-password').fill('not this one')
    await byId('new-password').fill('gajah-terbang-di-atas-monas')
    await byId('password-submit').click()
    await page.locator('#current-password-error').waitFor()
    await picture('account')
    await accessible('account')
    await byId('current-password').fill(PASSWORD)
    await byId('password-submit').click()
    await page.getByText('Your password is changed.').waitFor()
    password = 'gajah-terbang-di-atas-monas'
  })

  await step('a second factor is turned on, asked for when somebody signs in, and turned off', async () => {
    await byId('enroll-second-factor').click()
    await byId('factor-password').fill(password)
    await byId('enroll-password-submit').click()
    const secret = await byId('secret').innerText()
    await picture('second-factor')
    await accessible('second factor')
    await byId('factor-code').fill(totp(secret))
    await byId('confirm-second-factor').click()
    const codes = (await byId('recovery-codes').locator('pre').innerText()).trim().split('\n')
    assert.equal(codes.length, 10)
    await accessible('recovery codes')
    await byId('recovery-codes-done').click()
    await byId('disable-second-factor').waitFor()

    const other = await guest()
    await other.goto(KABAR_BASE)
    await byId('email', other).fill(EMAIL)
    await byId('password', other).fill(password)
    await byId('login-submit', other).click()
    await byId('login-code', other).fill('000000')
    await byId('code-submit', other).click()
    await other.locator('#login-code-error').waitFor()
    await picture('second-step', other)
    await accessible('second step', other)
    await byId('login-code', other).fill(codes[0])
    await byId('code-submit', other).click()
    await other.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()

    await byId('disable-second-factor').click()
    await byId('factor-password').fill(password)
    await byId('factor-code').fill(codes[1])
    await byId('disable-submit').click()
    await byId('enroll-second-factor').waitFor()
    await page.getByRole('link', { name: 'Devices', exact: true }).first().click()
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor()
  })

  await step('it speaks Indonesian, in the dark, on a phone', async () => {
    await byId('account-menu').first().click()
    await page.getByRole('menuitemradio', { name: 'Dark theme' }).or(page.getByRole('menuitem', { name: 'Dark theme' })).click()
    await byId('account-menu').first().click()
    const indonesian = /Indonesia/
    await page.getByRole('menuitemradio', { name: indonesian }).or(page.getByRole('menuitem', { name: indonesian })).click()
    await page.getByRole('heading', { name: 'Perangkat', level: 1 }).waitFor()
    await picture('dark-indonesian')
    await accessible('dark')
    await page.setViewportSize({ width: 390, height: 844 })
    await picture('narrow-devices')
    await page.goto(`${KABAR_BASE}/platform/tenants`)
    await byId('tenant-row').first().getByRole('link').first().click()
    await byId('change-limits').click()
    await byId('override-Devices').selectOption({ label: 'Batas sendiri' })
    await picture('narrow-limits-form')
    await accessible('narrow limits form')
    await page.keyboard.press('Escape')
    await page.goto(`${KABAR_BASE}/platform/audit?tenant=none`)
    await byId('audit-entry').first().waitFor()
    await picture('narrow-platform-audit')
    await page.goto(`${KABAR_BASE}/inbox`)
    await byId('chat-row').first().waitFor()
    await picture('narrow-inbox')
    await byId('chat-row').first().click()
    await byId('message').first().waitFor()
    await picture('narrow-conversation')
    await accessible('narrow conversation')
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  await step('a device that the phone unlinks says so at once', async () => {
    await page.goto(`${KABAR_BASE}/devices`)
    await byId('device-card').first().getByRole('link').first().click()
    await status(byId('device-status'), 'Connected')
    await phone.goto(`${KABAR_BASE}/sandbox/${DEVICE_NUMBER.slice(1)}`)
    await byId('sandbox-log-out', phone).click()
    const confirm = byId('confirm-submit', phone)
    if (await confirm.isVisible().catch(() => false)) await confirm.click()
    await status(byId('device-status'), 'LoggedOut')
    await picture('logged-out')
  })

  await step('wiping asks first, and the device can be linked again', async () => {
    await choose('Hapus kredensial')
    await picture('wipe')
    await byId('confirm-submit').and(page.locator(':visible')).click()
    await status(byId('device-status'), 'Created')
    await byId('link-device').waitFor()
  })

  await step('signing out closes the console', async () => {
    await byId('account-menu').first().click()
    await page.getByRole('menuitem', { name: 'Keluar', exact: true }).click()
    await byId('login-form').waitFor()
    await page.goto(`${KABAR_BASE}/devices`)
    await byId('login-form').waitFor()
  })

  await step('every page that was shown is accessible', async () => {
    assert.deepEqual(faults, [])
  })

  await step('the browser had nothing to complain about', async () => {
    assert.deepEqual(complaints, [])
  })
} finally {
  for (const context of guests) await context.close()
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
process.exit(0)
