import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withBrowser } from '../support/browser.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('the status page in a browser')

const HOSTILE = '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">'
const config = ['page: {port: 0}', 'save: {interval: 1h}']
/** For people who want to see it. */
const SHOTS = process.env.TIDEPOOL_TEST_SHOTS

test('a project appears, is at risk, is saved and has its points drawn, without one reload', () =>
  withDaemon(
    ({ client, daemon }) =>
      withBrowser(async ({ page, wrong, requested }) => {
        const post = <T = { realPath: string }>(path: string, body?: unknown): Promise<T> =>
          client.call<T>('POST', `/v1/projects${path}`, { body })
        const unsaved = (text: RegExp): Promise<void> =>
          page.locator('[data-tile="Not saved yet"] .value', { hasText: text }).waitFor()
        const shot = async (name: string): Promise<void> => {
          if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
        }
        // As somebody who can write to the store could have it.
        await page.route('**/v1/projects/home1/graph', async (route) => {
          const response = await route.fetch()
          await route.fulfill({
            response,
            json: { ...(await response.json()), properties: { [HOSTILE]: HOSTILE } },
          })
        })
        await page.goto(daemon.pageLink ?? '')
        await page.waitForSelector('#state[data-is="live"]')
        assert.not.match(page.url(), /token/)
        await page.evaluate(`document.body.dataset.first = 'load'`)
        const { realPath } = await post('', { id: 'home1' })
        await page.waitForSelector('a[href="#/project/home1"]')
        for (const text of ['one', 'two', 'three']) {
          await writeFile(join(realPath, 'file'), text.repeat(1000))
          await unsaved(/^1$/)
          assert.is(await page.title(), '(1) Tidepool')
          if (text === 'one') await shot('at-risk')
          await post('/home1/save')
          await unsaved(/^0$/)
        }
        await post('', { id: 'home2' })
        const { points } = await client.call<{ points: { point: string }[] }>(
          'GET',
          '/v1/projects/home1/history',
        )
        await post('/home1/rollback', { point: points[1]?.point })
        await page.waitForSelector('a[href="#/project/home2"]')
        await shot('light')
        await page.emulateMedia({ colorScheme: 'dark' })
        await shot('dark')
        await page.click('#projects a[href="#/project/home1"]')
        await page.waitForSelector('.graph .head')
        assert.is(await page.locator('.graph .point').count(), 3)
        assert.is(await page.locator('.graph .side').count(), 1)
        await page.locator('dl', { hasText: '<script>' }).waitFor()
        await shot('project-dark')
        await page.emulateMedia({ colorScheme: 'light' })
        await page.setViewportSize({ width: 380, height: 800 })
        await shot('project-narrow')
        await page.goto(`${new URL(page.url()).origin}/#/project/${encodeURIComponent(HOSTILE)}`)
        await page.locator('h1', { hasText: '<script>' }).waitFor()
        await page.goto(`${new URL(page.url()).origin}/#/`)
        await page.waitForSelector('.tiles')
        assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
        await shot('narrow')
        assert.is(await page.evaluate('document.body.dataset.first'), 'load')
        assert.match(await page.title(), /Tidepool$/)
        const { origin } = new URL(page.url())
        assert.equal(
          requested.filter((url) => new URL(url).origin !== origin),
          [],
        )
        // Only what the hostile id asked the daemon for, which refuses it.
        assert.equal(
          wrong.filter((text) => !/status of 400/.test(text)),
          [],
        )
      }),
    { config },
  ))

test.run()
