/** A page of a real Chromium for one test, which notes whatever goes wrong in it and every request that leaves an origin. */
import { type Browser, chromium, type Page } from 'playwright-core'

export interface Looked {
  readonly page: Page
  /** What the console says of errors, and what was thrown. */
  readonly wrong: readonly string[]
  readonly requested: readonly string[]
}

export async function withBrowser(body: (looked: Looked) => Promise<void>): Promise<void> {
  const browser: Browser = await chromium.launch({
    executablePath: process.env.TIDEPOOL_TEST_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
    const wrong: string[] = []
    const requested: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(message.text())
    })
    page.on('pageerror', (error) => wrong.push(error.message))
    page.on('request', (request) => requested.push(request.url()))
    page.setDefaultTimeout(60_000)
    await body({ page, wrong, requested })
  } finally {
    await browser.close()
  }
}
