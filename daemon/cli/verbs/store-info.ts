/** `store info`: what the store is, and which hosts speak to it. */

import { humanBytes } from '../../../pipeline/base/units.ts'
import type { HostRow } from '../../../pipeline/hosts/state.ts'
import type { Verb } from '../cli.ts'
import { localTime, properties, table, utcTime } from '../output.ts'
import { receivableText } from '../receivable-text.ts'

export const verb: Verb<[]> = {
  configure() {},

  async run(cli) {
    await cli.withStore(async ({ store }) => {
      const { signal } = cli
      const info = await store.catalogue.info({ signal })
      const nowMs = await store.catalogue.nowMs({ signal })
      const hosts: HostRow[] = []
      let ended = 0
      for await (const host of store.catalogue.hosts({ signal }))
        if (host.state === 'ended') ended++
        else hosts.push(host)
      const { kind, url, blobs } = store
      await cli.out.one(
        {
          kind,
          url,
          format: info.format,
          createdAt: utcTime(info.createdAtMs),
          storeTime: utcTime(nowMs),
          receivable: info.receivable,
          defaultChunkBytes: blobs.defaultChunkBytes,
          hosts: hosts.map(({ host, name, state, changedAtMs }) => ({
            host,
            name,
            state,
            changedAt: utcTime(changedAtMs),
          })),
          endedHosts: ended,
        },
        () => [
          ...properties([
            ['store', url],
            ['kind', kind],
            ['format', String(info.format)],
            ['created', localTime(info.createdAtMs)],
            ["store's time", localTime(nowMs)],
            ['receivable', receivableText(info.receivable)],
            ['chunks', `${humanBytes(blobs.defaultChunkBytes)} unless told otherwise`],
            ['hosts', `${hosts.length}, and ${ended} that ended`],
          ]),
          ...(hosts.length === 0 ? [] : ['', ...hostTable(hosts)]),
        ],
      )
    })
  },
}

function hostTable(hosts: readonly HostRow[]): string[] {
  return table(
    [{ title: 'HOST' }, { title: 'NAME' }, { title: 'STATE' }, { title: 'SINCE' }],
    hosts.map(({ host, name, state, changedAtMs }) => [host, name, state, localTime(changedAtMs)]),
  )
}
