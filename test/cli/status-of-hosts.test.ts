/** What `status` and the log tell of a host that can't receive what its store lets in. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Log } from '../../daemon/log/log.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'
import { tidepool } from '../support/command.ts'
import { openedInMemory, withDaemon } from '../support/daemon.ts'
import { eventually } from '../support/fuse.ts'

const test = suite('status of hosts')

function recording(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const note = (_about: object, text: string): void => void lines.push(text)
  return { log: { error: note, warn: note, info: note, debug: note } as unknown as Log, lines }
}

test('stream features that it lacks are a warning, and a line of the log at its start', async () => {
  const store = memoryStore()
  await store.catalogue.setReceivable(['lz4', 'longname'])
  const { log, lines } = recording()
  await withDaemon(
    async ({ socket }) => {
      const status = () => tidepool(['--json', '--socket', socket, 'status'])
      const isKnown = async () => String((await status()).json[0]?.cannotReceive) === 'longname'
      await eventually('it is known', 20_000, isKnown)
      const { code, json } = await status()
      assert.is(code, 1)
      assert.match(String(json[0]?.warnings), /can't receive streams that use longname/)
      assert.is(lines.filter((line) => /can't receive streams that use longname/.test(line)).length, 1)
    },
    { log, openStore: () => openedInMemory(store) },
  )
})

test.run()
