/** `stream show`: all that the store knows of one write. */
import { humanBytes } from '../../../pipeline/base/units.ts'
import { neededWrites } from '../../../pipeline/graph/needed.ts'
import type { Verb } from '../cli.ts'
import { type FoundWrite, findWrite } from '../find.ts'
import { localTime, properties } from '../output.ts'
import { writeJson } from '../write-json.ts'

interface Options {
  readonly project?: string
}

export const verb: Verb<[write: string], Options> = {
  configure(command) {
    command
      .argument(
        '<write>',
        'PROJECT/ID, or an id alone; the beginning of an id will do where it is the only one',
      )
      .option('--project <id>', 'look for the id only there')
  },

  async run(cli, [write], options) {
    await cli.withStore(async ({ store }) => {
      const found = await findWrite(store.catalogue, write, { ...options, signal: cli.signal })
      const { project, row } = found
      const needed = row.state === 'committed' && neededWrites(project).has(row.writeId)
      const { manifest } = row
      const more = {
        needed,
        byteOrder: manifest?.stream.byteOrder ?? null,
        records: manifest?.stream.records ?? null,
        codec: manifest?.codec ?? null,
        usage: manifest?.usage ?? null,
        treeDigest: manifest?.treeDigest ?? null,
        session: row.session,
        seqHigh: row.seqHigh,
      }
      await cli.out.one({ ...writeJson(project, row), ...more }, () => describe(found, needed))
    })
  },
}

function describe({ project, row }: FoundWrite, needed: boolean): string[] {
  const { manifest } = row
  const isHead = row.state === 'committed' && row.to === project.statics.head
  const pairs: [string, string][] = [
    ['write', row.writeId],
    ['project', project.id],
    [
      'state',
      row.state + (row.state === 'committed' ? (needed ? ', needed' : ', no kept point needs it') : ''),
    ],
    ['from', row.from ?? 'nothing (a full stream)'],
    ['to', row.to + (isHead ? ' (the head)' : '')],
    ['host', row.host],
    ['begun', localTime(row.begunAtMs)],
    ['last change', localTime(row.changedAtMs)],
  ]
  if (row.committedAtMs !== null) pairs.push(['committed', localTime(row.committedAtMs)])
  if (manifest) {
    const { stream } = manifest
    pairs.push(
      ['snapshot', `${stream.toName}, ${localTime(stream.createdAtMs)}`],
      ['size', `${humanBytes(manifest.bytes)} (${manifest.bytes} bytes)`],
      ['content', `${humanBytes(stream.logicalBytes)} in its blocks`],
      ['chunks', `${manifest.chunkCount} of ${humanBytes(manifest.chunkBytes)}`],
      ['root digest', manifest.rootDigest],
      ['features', stream.features.join(', ') || 'none'],
      [
        'records',
        Object.entries(stream.records)
          .map(([name, count]) => `${count} ${name}`)
          .join(', '),
      ],
      ['byte order', stream.byteOrder],
    )
  }
  return properties(pairs)
}
