// What every journey needs: a Chromium with an empty profile, pictures, and what there is to complain about.
//
// With KABAR_BASE, EMAIL, PASSWORD, SCREENSHOTS and CHROMIUM in the environment.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

export const { KABAR_BASE, EMAIL, PASSWORD, SCREENSHOTS, CHROMIUM } = process.env
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const profile = mkdtempSync(join(tmpdir(), 'kabar-chromium-'))
export const browser = await chromium.launchPersistentContext(profile, {
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
export const complaints = []
export const guests = []
export function watch(page) {
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => {
    // The refused login of the first step is a 200 with a user error; nothing else may complain.
    if (message.type() === 'error') complaints.push(message.text())
  })
  return page
}
export const page = watch(browser.pages()[0] ?? (await browser.newPage()))

let pictures = 0
export async function picture(name, of = page) {
  pictures += 1
  await of.screenshot({ path: join(SCREENSHOTS, `${String(pictures).padStart(2, '0')}-${name}.png`) })
}

export const faults = []
/** Looks for serious faults of accessibility in what is shown now; they are told together at the end. */
export async function accessible(name, of = page) {
  // What is fading in is not what a person reads: its contrast is measured when it stands.
  // What moves with scrolling, or for ever, never stands.
  await of.evaluate(() => {
    const inTime = document.getAnimations().filter(({ timeline }) => timeline === document.timeline)
    const moving = inTime.filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity)
    return Promise.allSettled(moving.map(animation => animation.finished)).then(() => {})
  })
  await of.evaluate(axe)
  // Without preloading: for that axe sets styles, which the page's content security policy refuses.
  const { violations } = await of.evaluate(() =>
    window.axe.run(document, { preload: false, resultTypes: ['violations'] }),
  )
  const counts = ({ id, impact }) => ['serious', 'critical'].includes(impact) || id === 'page-has-heading-one'
  const serious = violations.filter(counts)
  for (const { id, help, nodes } of serious)
    faults.push(`${name}: ${id}: ${help} (${nodes.map(node => node.target.join(' ')).join(', ')})`)
}

export async function step(what, body) {
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

export const byId = (id, of = page) => of.getByTestId(id)
export const status = (element, wanted) => element.and(page.locator(`[data-status="${wanted}"]`)).first().waitFor()

/** Ends everything that was opened. */
export async function close() {
  for (const context of guests) await context.close()
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
