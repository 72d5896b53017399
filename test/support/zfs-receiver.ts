/** A process of its own that receives a stream slowly, to be killed: `tsx zfs-receiver.ts STREAM DATASET GUID`. */
import { createReadStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { datasetName } from '../../native/zfs/names.ts'
import { receive } from '../../native/zfs/receive.ts'
import { openZfs } from '../../native/zfs/zfs.ts'
import { guid } from '../../pipeline/base/ids.ts'

const [stream = '', target = '', to = ''] = process.argv.slice(2)

async function* slowly() {
  let bytes = 0
  for await (const piece of createReadStream(stream, { highWaterMark: 16 * 1024 })) {
    yield piece as Buffer
    bytes += (piece as Buffer).length
    process.stdout.write(`${bytes}\n`)
    await sleep(50)
  }
}

await receive(await openZfs(), datasetName(target), slowly(), { to: guid(to) })
