/** The README's quick start, line by line in what a fresh clone has: what it prints is what stands there. */
import { readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { daemonOf, ended, withCheckout } from '../support/checkout.ts'

const test = suite('README')
const README = new URL('../../README.md', import.meta.url)

interface Shown {
  readonly command: string
  readonly prints: string
}

/** The commands of a section, each with what stands below it. */
async function shownIn(title: string): Promise<Shown[]> {
  const text = await readFile(README, 'utf8')
  const section = text.split(/^## /m).find((each) => each.startsWith(`${title}\n`)) ?? ''
  return [...section.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .split(/^# /m)
      .slice(1)
      .map((each) => {
        const end = each.indexOf('\n')
        return { command: each.slice(0, end), prints: each.slice(end + 1) }
      }),
  )
}

/** Without what is another at each run: names, numbers, times, and how wide they are. */
const alike = (text: string, root: string): string =>
  text
    .replaceAll(root, '/srv/tidepool')
    .replace(/token=\S+/g, 'token=T')
    .replace(/tidepool-[0-9a-f]{8}\b/g, 'tidepool-X')
    .replace(/^(host +)\S+ \(.*\)$/m, '$1NAME')
    .replace(/ZFS \S+$/gm, 'ZFS Z')
    .replace(/\d+(\.\d+)? ([KMGT]iB|B|s|ms|min)\b/g, 'N U')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, 'WHEN')
    .replace(/\d{4,}/g, 'N')
    .replace(/ +/g, ' ')

test('each line of the quick start prints what stands below it', () =>
  withCheckout(async ({ root, start, sh }) => {
    const [first, ...others] = await shownIn('Quick start with projects')
    assert.is(first?.command, 'npm start')
    const serving = await start()
    // What had to be set up is another on each machine.
    const served = (text: string): string => alike(text.slice(text.indexOf('Tidepool serves')), root)
    assert.is(served(serving.printed()), served(first?.prints ?? ''))
    const made = /^setup: (?:made .*|\/.*yaml)$/gm
    assert.equal(alike(serving.printed(), root).match(made), alike(first?.prints ?? '', root).match(made))
    assert.equal(
      others.map(({ command }) => command.replace(/^bin\/tidepool /, '').split(' ')[0]),
      ['create', 'echo', 'save', 'evict', 'cat', 'status'],
    )
    for (const { command, prints } of others) {
      const { code, stdout, stderr } = await sh(command)
      assert.is(code, 0, `${command}: ${stderr}`)
      assert.is(alike(stdout, root), alike(prints, root), command)
    }
    const daemon = await daemonOf(root)
    await ended(serving, () => process.kill(daemon, 'SIGINT'))
  }))

test.run()
