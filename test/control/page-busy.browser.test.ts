/** The status page of a host on which all kinds of things happen at once. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { projectId } from '../../pipeline/base/ids.ts'
import { withBrowser } from '../support/browser.ts'
import { withDaemon } from '../support/daemon.ts'

const test = suite('the status page of a busy host')

const config = ['page: {port: 0}', 'save: {interval: 1h}']
/** For people who want to see it. */
const SHOTS = process.env.TIDEPOOL_TEST_SHOTS

test('what is moving, at risk and failing is seen, and each number leads to its project', () =>
  withDaemon(
    ({ client, daemon, fake }) =>
      withBrowser(async ({ page, wrong }) => {
        const shot = async (name: string): Promise<void> => {
          if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
        }
        const post = <T = { realPath: string }>(path: string, body?: unknown, headers = {}): Promise<T> =>
          client.call<T>('POST', `/v1/projects${path}`, { body, headers })
        const write = async (id: string, bytes: number): Promise<void> =>
          writeFile(join(daemon.config.mounts, id, `file-${bytes}`), 'x'.repeat(bytes))
        const sample = () => daemon.watch.sample(daemon.engine, daemon.signal)
        for (const id of [
          'atlas',
          'at-risk',
          'broken',
          'moving',
          'shelved',
          'with-a-very-long-name-that-somebody-has-given-to-his-project',
        ])
          await post('', { id })
        for (const id of ['atlas', 'shelved', 'moving']) {
          for (const bytes of [3000, 40_000, 90_000]) {
            await write(id, bytes)
            await post(`/${id}/save`)
            await sample()
          }
        }
        await post('/atlas/evict')
        await sample()
        await post('/atlas/open')
        await sample()
        await post('/shelved/close')
        for (const id of ['at-risk', 'broken', 'moving']) await write(id, 70_000)
        await fake.faults(
          {
            match: '^zfs send .*/broken@',
            times: 1000,
            action: 'fail',
            stderr: 'pool I/O is currently suspended',
          },
          { match: '^zfs send .*/moving@', action: 'stall', bytes: 20_000 },
        )
        daemon.engine.saves.hurry(projectId('broken'))
        await post('/moving/save', undefined, { prefer: 'respond-async' })
        await page.goto(daemon.pageLink ?? '')
        const row = (id: string) => page.locator('#projects tr', { hasText: id })
        await row('broken').locator('.tag.bad', { hasText: 'save failing' }).waitFor()
        await row('moving')
          .locator('.tag', { hasText: /^save$/ })
          .waitFor()
        await row('moving').locator('.tag.warn', { hasText: 'not saved yet' }).waitFor()
        await row('at-risk').locator('.tag.warn', { hasText: 'not saved yet' }).waitFor()
        await row('atlas').locator('.tag.good', { hasText: 'open' }).waitFor()
        await row('shelved').locator('.tag', { hasText: 'in the pool' }).waitFor()
        await row('moving').locator('td.wide', { hasText: 'send' }).waitFor()
        await page.locator('tr.below', { hasText: 'I/O is currently suspended' }).first().waitFor()
        const loose = await page.evaluate(
          `[...document.querySelectorAll('#projects td.num')].filter((cell) => cell.textContent && !cell.querySelector('a[href^="#/project/"]')).length`,
        )
        assert.is(loose, 0)
        assert.ok((await page.locator('#projects td.num a').count()) >= 15)
        await page.locator('.plot a[href="#/project/atlas"] circle').waitFor()
        await shot('busy')
        await page.setViewportSize({ width: 380, height: 800 })
        assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
        const why = await page.locator('tr.below div').first().boundingBox()
        assert.ok(why && why.x + why.width <= 380, JSON.stringify(why))
        await shot('busy-narrow')
        await page.setViewportSize({ width: 1200, height: 900 })
        await page.emulateMedia({ colorScheme: 'dark' })
        await shot('busy-dark')
        await page.emulateMedia({ colorScheme: 'light' })
        await row('atlas').locator('a', { hasText: 'atlas' }).click()
        await page.waitForSelector('.graph .head')
        await shot('busy-project')
        await page.goBack()
        await page.click('[data-tile="Not saved yet"]')
        await page.locator('.filter a[aria-current]', { hasText: 'Failing 1' }).waitFor()
        assert.is(await page.locator('#projects tbody tr:not(.below)').count(), 1)
        await row('broken').locator('a', { hasText: 'broken' }).click()
        await page.locator('h1', { hasText: 'broken' }).waitFor()
        await shot('busy-broken')
        assert.equal(wrong, [])
        await fake.faults()
      }),
    { config },
  ))

test.run()
