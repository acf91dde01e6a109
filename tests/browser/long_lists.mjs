// Lists of a tenant that has grown: 3,000 devices, chats, messages, events and entries of the audit log; and of a
// platform with as many tenants.

import assert from 'node:assert/strict'
import { EMAIL, KABAR_BASE, PASSWORD, accessible, byId, close, complaints, faults, page, picture, step, watch } from './setup.mjs'

const MANY = 3_000
/** Up to 200 rows are all drawn; beyond that what is in sight and some more. */
const MOST_DRAWN = 200
const padded = number => String(number).padStart(5, '0')

await page.addInitScript(() => {
  /** Where a list is scrolled, and what stands in it. */
  window.parts = list => {
    const body = list.tBodies?.[0] ?? list
    let scroller = body
    while (!['auto', 'scroll'].includes(getComputedStyle(scroller).overflowY)) scroller = scroller.parentElement
    return { body, scroller, edge: scroller.getBoundingClientRect().top }
  }
  window.frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
})

/** Scrolls a list to its end until this row is there; answers how many rows were drawn at most, and how often it took. */
async function scrollTo(list, row, towards = 'end') {
  const element = byId(list)
  let most = 0
  let last = { top: -1 }
  let stuck = 0
  for (let turn = 0; turn < 2_000; turn += 1) {
    const now = await element.evaluate(async (list, [wanted, towards]) => {
      const { body, scroller } = window.parts(list)
      scroller.scrollTop = towards === 'end' ? scroller.scrollHeight : 0
      await window.frame()
      return {
        found: [...body.children].some(row => row.textContent.includes(wanted)),
        drawn: body.children.length,
        top: scroller.scrollTop,
        height: scroller.scrollHeight,
      }
    }, [row, towards])
    most = Math.max(most, now.drawn)
    if (now.found) return most
    stuck = now.height === last.height ? stuck + 1 : 0
    assert.ok(stuck < 400, `${list} stops before ${row}`)
    if (stuck > 0) await page.waitForTimeout(25)
    last = now
  }
  assert.fail(`${list} never came to ${row}`)
}

/** The topmost row in sight that is called so, and where it begins. */
const inSight = (list, pattern) =>
  byId(list).evaluate((list, pattern) => {
    const { body, edge } = window.parts(list)
    for (const row of body.children) {
      const { top } = row.getBoundingClientRect()
      const name = row.textContent.match(new RegExp(pattern))?.[0]
      if (top >= edge && name) return { name, top: Math.round(top - edge) }
    }
    return null
  }, pattern)

/** What was the topmost row stays there, but for a rounding. */
function assertStayed(before, now) {
  assert.equal(now.name, before.name)
  assert.ok(Math.abs(now.top - before.top) <= 2, `${before.name} moved from ${before.top} to ${now.top}`)
}

const scrollBy = (list, distance) =>
  byId(list).evaluate(async (list, distance) => {
    const { scroller } = window.parts(list)
    scroller.scrollTop += distance
    await window.frame()
  }, distance)

/** What a person sees in the middle of the list is a row, and not the space that stands for one. */
async function assertDrawn(list) {
  const tag = await byId(list).evaluate(list => {
    const { scroller } = window.parts(list)
    const { left, top, width, height } = scroller.getBoundingClientRect()
    const element = document.elementFromPoint(left + width / 2, top + height / 2)
    return element?.closest('.window-gap') ? 'nothing' : 'a row'
  })
  assert.equal(tag, 'a row')
}

/** How far the last message is from the end of what is in sight. */
const fromEnd = () =>
  byId('thread').evaluate(list => {
    const { body, scroller } = window.parts(list)
    return Math.abs(body.getBoundingClientRect().bottom - scroller.getBoundingClientRect().bottom)
  })

const drawnRows = list => byId(list).evaluate(list => window.parts(list).body.children.length)

try {
  await step('signing in', async () => {
    await page.goto(KABAR_BASE)
    await page.getByLabel('Email').fill(EMAIL)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  })

  await step('thousands of devices scroll to their end', async () => {
    await page.goto(`${KABAR_BASE}/devices`)
    await page.getByText('3,000 devices').waitFor()
    const most = await scrollTo('devices', `Device ${padded(MANY)}`)
    assert.ok(most <= MOST_DRAWN + 3, `${most} rows are drawn`)
    const drawn = await drawnRows('devices')
    assert.ok(drawn < 120, `${drawn} rows are drawn`)
    await picture('devices-end')
    await accessible('devices at the end')
    assert.equal(await byId('devices').getAttribute('aria-rowcount'), String(MANY + 1))
    const last = byId('device-card').filter({ hasText: `Device ${padded(MANY)}` })
    assert.equal(await last.getAttribute('aria-rowindex'), String(MANY + 1))
    // Nothing is left to load.
    assert.equal(await page.getByRole('button', { name: 'Load more' }).count(), 0)
  })

  await step('wherever one jumps, rows are there, and their columns stay', async () => {
    const columns = () => byId('devices').locator('th').evaluateAll(heads => heads.map(head => Math.round(head.offsetWidth)))
    const before = await columns()
    for (const part of [0.5, 0.1, 0.83, 0.31]) {
      await byId('devices').evaluate(async (list, part) => {
        const { scroller } = window.parts(list)
        scroller.scrollTop = scroller.scrollHeight * part
        await window.frame()
      }, part)
      await assertDrawn('devices')
    }
    assert.deepEqual(await columns(), before)
    const took = await byId('devices').evaluate(async list => {
      const { body, scroller } = window.parts(list)
      const began = performance.now()
      for (let turn = 0; turn < 60; turn += 1) {
        scroller.scrollTop += 120
        await new Promise(done => requestAnimationFrame(done))
      }
      return (performance.now() - began) / 60
    })
    console.log(`# a frame of scrolling takes ${took.toFixed(1)} ms`)
    await picture('devices-middle')
  })

  await step('the row with the focus stays, and the keyboard goes on from it', async () => {
    const { name } = await inSight('devices', 'Device \\d{5}')
    await page.getByRole('link', { name }).focus()
    const focused = () => page.evaluate(() => document.activeElement.textContent)
    await page.evaluate(() => { document.querySelector('main').scrollTop = 0 })
    await byId('device-card').filter({ hasText: `Device ${padded(1)}` }).waitFor()
    assert.equal(await focused(), name)
    await page.keyboard.press('j')
    const next = `Device ${padded(Number(name.slice(7)) + 1)}`
    assert.equal(await focused(), next)
    for (let turn = 0; turn < 40; turn += 1) await page.keyboard.press('j')
    assert.equal(await focused(), `Device ${padded(Number(name.slice(7)) + 41)}`)
    await page.keyboard.press('k')
    assert.equal(await focused(), `Device ${padded(Number(name.slice(7)) + 40)}`)
    assert.ok(await page.evaluate(() => {
      const { top, bottom } = document.activeElement.getBoundingClientRect()
      return top >= 0 && bottom <= innerHeight
    }), 'the row with the focus is out of sight')
  })

  await step('what one reads stays where it is when something comes in above it', async () => {
    const before = await inSight('devices', 'Device \\d{5}')
    // Another tab creates one that stands before all others.
    const other = await page.context().newPage()
    await other.goto(`${KABAR_BASE}/devices?new=1`)
    await other.locator('#device-name').fill('A first one')
    await byId('create-device-submit', other).click()
    await other.waitForURL(/\/devices\/./)
    await byId('link-device', other).click()
    await other.close()
    await page.getByText('3,001 devices').waitFor()
    assertStayed(before, await inSight('devices', 'Device \\d{5}'))
    await page.evaluate(() => { document.querySelector('main').scrollTop = 0 })
    await byId('device-card').filter({ hasText: 'A first one' }).waitFor()
  })

  await step('a device beyond the first hundred is found by typing', async () => {
    await page.goto(`${KABAR_BASE}/inbox`)
    await byId('chat-row').first().waitFor()
    const field = byId('inbox-device')
    await field.click()
    await page.getByText('More match: type to narrow them down.').waitFor()
    await picture('device-picker')
    await accessible('device picker')
    await page.keyboard.type('device 02777')
    await page.getByRole('option', { name: 'Device 02777' }).waitFor()
    await page.waitForFunction(() => document.querySelectorAll('[role=option]').length === 1)
    await page.keyboard.press('Enter')
    await page.waitForURL(/device=/)
    assert.equal(await field.inputValue(), 'Device 02777')
    await page.getByRole('heading', { name: 'No chats yet' }).waitFor()
    await page.reload()
    await page.waitForFunction(() => document.querySelector('#inbox-device')?.value === 'Device 02777')
    await field.click()
    await page.getByRole('option', { name: 'All devices' }).click()
    await page.waitForURL(url => !url.search.includes('device='))
    // Escape closes the list and leaves what was chosen.
    await field.click()
    await page.keyboard.press('Escape')
    assert.equal(await field.inputValue(), 'All devices')
    assert.equal(await page.getByRole('option').count(), 0)
  })

  await step('thousands of chats scroll to their end', async () => {
    await byId('chat-row').filter({ hasText: `Chat ${padded(MANY)}` }).click()
    await byId('message').filter({ hasText: `Message ${padded(MANY)}` }).waitFor()
    assert.ok(await fromEnd() < 40, 'a conversation begins at its end')
    const most = await scrollTo('chats', `Chat ${padded(1)}`)
    assert.ok(most <= MOST_DRAWN + 3, `${most} chats are drawn`)
    await picture('chats-end')
    await accessible('chats at the end')
  })

  await step('older messages are put above what one reads, which stays', async () => {
    let grew = 0
    for (let turn = 0; turn < 12; turn += 1) {
      // Near enough to the beginning that older ones are fetched.
      const before = await byId('thread').evaluate(async list => {
        const { scroller } = window.parts(list)
        const height = scroller.scrollHeight
        scroller.scrollTop = 150
        await window.frame()
        return { height, growing: scroller.scrollHeight < height + 500 }
      })
      const read = await inSight('thread', 'Message \\d{5}')
      await byId('thread').evaluate((list, { height }) => new Promise((done, fail) => {
        const began = performance.now()
        const look = () => {
          if (list.scrollHeight > height + 500) done()
          else if (performance.now() - began > 8_000) fail(new Error('nothing older came'))
          else requestAnimationFrame(look)
        }
        look()
      }), before)
      grew += before.growing ? 1 : 0
      assertStayed(read, await inSight('thread', read.name))
      assert.ok(await drawnRows('thread') <= MOST_DRAWN + 5)
      await assertDrawn('thread')
    }
    assert.ok(grew > 0, 'older messages were there before anybody looked')
    await picture('thread-middle')
  })

  const phone = watch(await page.context().newPage())
  await step('what comes in does not move what one reads, and is in sight for those who read the end', async () => {
    await phone.goto(`${KABAR_BASE}/sandbox/6281200003000`)
    const write = async text => {
      await byId('phone-text', phone).fill(text)
      await byId('phone-send', phone).click()
    }
    await page.bringToFront()
    const before = await inSight('thread', 'Message \\d{5}')
    await write('Anything new?')
    await page.getByRole('button', { name: '1 new message' }).waitFor()
    assertStayed(before, await inSight('thread', before.name))
    await picture('thread-unseen')
    await accessible('unseen messages')
    await page.getByRole('button', { name: '1 new message' }).click()
    await byId('message').filter({ hasText: 'Anything new?' }).waitFor()
    assert.ok(await fromEnd() < 40)
    await write('And now?')
    await byId('message').filter({ hasText: 'And now?' }).waitFor()
    await page.waitForFunction(() => {
      const { scroller } = window.parts(document.querySelector('[data-testid=thread]'))
      return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 8
    })
    await phone.close()
  })

  await step('a conversation scrolls back to its first message, and forth to its last one', async () => {
    const most = await scrollTo('thread', `Message ${padded(1)} `, 'start')
    assert.ok(most <= MOST_DRAWN + 5, `${most} messages are drawn`)
    await picture('thread-start')
    await scrollTo('thread', 'And now?')
    await picture('thread-end')
    assert.ok(await fromEnd() < 40)
  })

  await step('thousands of events scroll to their end', async () => {
    await page.goto(`${KABAR_BASE}/activity`)
    await page.getByText(`Message ${padded(MANY)}`).waitFor()
    const most = await scrollTo('activity', `Message ${padded(1)} `)
    assert.ok(most <= MOST_DRAWN + 3, `${most} events are drawn`)
    await assertDrawn('activity')
    await picture('activity-end')
    await accessible('activity at the end')
  })

  await step('thousands of tenants scroll to their end', async () => {
    await page.goto(`${KABAR_BASE}/platform`)
    await byId('tenant-row').first().waitFor()
    const most = await scrollTo('tenants', 'My company')
    assert.ok(most <= MOST_DRAWN + 3, `${most} tenants are drawn`)
    await picture('tenants-end')
    await accessible('tenants at the end')
  })

  await step('hundreds of phones scroll to their end', async () => {
    await page.goto(`${KABAR_BASE}/sandbox`)
    await byId('phone-row').first().waitFor()
    await scrollTo('phones', `Chat ${padded(MANY)}`)
    assert.ok(await drawnRows('phones') < 120)
    await picture('phones-end')
    await accessible('phones at the end')
  })

  await step('what reached a phone begins with the newest, and scrolls to the oldest', async () => {
    await page.goto(`${KABAR_BASE}/sandbox/6281200003000`)
    const newest = byId('ledger-line').first()
    await newest.waitFor()
    assert.match(await newest.textContent(), /Text 00250/)
    await byId('phone-message').filter({ hasText: 'And now?' }).waitFor()
    await picture('ledger')
    await scrollTo('ledger', `Text ${padded(1)}`)
    assert.ok(await drawnRows('ledger') < 120)
    await picture('ledger-end')
    await accessible('ledger at the end')
  })

  await step('thousands of entries of the audit log scroll to their end', async () => {
    await page.goto(`${KABAR_BASE}/settings/audit`)
    await byId('audit-entry').first().waitFor()
    const most = await scrollTo('audit', `Entry ${padded(1)}`)
    assert.ok(most <= MOST_DRAWN + 3, `${most} entries are drawn`)
    const before = await inSight('audit', 'Entry \\d{5}')
    // One that is opened grows, and those above stay.
    await byId('audit-entry').filter({ hasText: before.name }).getByTestId('audit-details').click()
    await page.waitForTimeout(100)
    assertStayed(before, await inSight('audit', 'Entry \\d{5}'))
    await picture('audit-end')
    await accessible('audit at the end')
  })

  await step('on a phone the lists are as long, and no wider than the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(`${KABAR_BASE}/devices`)
    await page.getByText('3,001 devices').waitFor()
    const most = await scrollTo('devices', `Device ${padded(MANY)}`)
    assert.ok(most <= MOST_DRAWN + 3, `${most} cards are drawn`)
    await picture('narrow-devices-end')
    await scrollBy('devices', -40_000)
    await assertDrawn('devices')
    await picture('narrow-devices-middle')
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`)
    // Turned, the cards have other heights.
    const before = await inSight('devices', 'Device \\d{5}')
    await page.setViewportSize({ width: 844, height: 390 })
    await page.waitForTimeout(200)
    await assertDrawn('devices')
    const after = await inSight('devices', 'Device \\d{5}')
    assert.ok(Math.abs(Number(after.name.slice(7)) - Number(before.name.slice(7))) <= 1, `${before.name} became ${after.name}`)
    await page.setViewportSize({ width: 390, height: 844 })
  })

  await step('they are as long in the dark and in Indonesian', async () => {
    await page.goto(`${KABAR_BASE}/devices`)
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.evaluate(() => localStorage.setItem('kabar-language', 'id'))
    for (const [width, height] of [[390, 844], [1280, 800]]) {
      await page.setViewportSize({ width, height })
      const lists = [['devices', 'devices'], ['inbox', 'chats'], ['activity', 'activity'], ['platform', 'tenants'], ['sandbox', 'phones'], ['settings/audit', 'audit']]
      for (const [address, list] of lists) {
        await page.goto(`${KABAR_BASE}/${address}`)
        await byId(list).waitFor()
        await scrollBy(list, 4_000)
        await assertDrawn(list)
        await picture(`dark-${width}-${list}`)
        await accessible(`${list} in the dark, ${width} px wide`)
      }
    }
  })

  await step('every page that was shown is accessible, and the browser had nothing to complain about', async () => {
    assert.deepEqual(faults, [])
    assert.deepEqual(complaints, [])
  })
} finally {
  await close()
}
process.exit(0)
