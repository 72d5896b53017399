/**
 * Another process at a directory store: `count` adds one to a project's rev again and again, `hold` stops itself while
 * it holds the catalogue's gate, `block` while it holds LMDB's own lock and not the gate. Says on its standard output what it has done.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { projectId } from '../../pipeline/base/ids.ts'
import { touchProject } from '../../pipeline/graph/transitions/owner.ts'
import { Gate } from '../../pipeline/stores/directory/gate.ts'
import { openDirectoryStore } from '../../pipeline/stores/directory/index.ts'

const [does, root = '', name = '', times = '0'] = process.argv.slice(2)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

if (does === 'count') {
  const store = await openDirectoryStore(root)
  const project = projectId(name)
  say('ready')
  for (let done = 0; done < Number(times); ) {
    const now = await store.catalogue.read(project)
    if (!now) throw new Error(`there is no project ${name}`)
    if (!(await store.catalogue.apply(touchProject(now)))) continue
    done++
    say(String(now.statics.rev + 1n))
  }
  await store.close()
}

if (does === 'hold') {
  await new Gate(join(root, 'catalogue')).hold('a test', 5000, undefined, async () => {
    say('held')
    process.kill(process.pid, 'SIGSTOP')
    // Stopped just above; what runs after SIGCONT gives the gate back.
  })
}

if (does === 'block') {
  const db = open({ path: join(root, 'catalogue'), overlappingSync: false, encoding: 'string' })
  db.transactionSync(() => {
    // Not by `say`: its text would wait for an event loop that does not turn.
    writeSync(1, 'held\n')
    process.kill(process.pid, 'SIGSTOP')
  })
  await db.close()
}
