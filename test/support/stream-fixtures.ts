/** Real streams of three versions of ZFS, with what is known about each from elsewhere than our own parser. */
import { readFileSync } from 'node:fs'

export const ZFS_VERSIONS = ['zfs-fuse-0.7.0', 'zfs-2.1.11', 'zfs-2.3.2'] as const
export type ZfsVersion = (typeof ZFS_VERSIONS)[number]

interface Known {
  readonly name: string
  readonly file: string
  readonly about: string
  readonly command: string
  readonly bytes: string
  readonly sha256: string
}

export interface AcceptedStream extends Known {
  readonly fromGuid: string | null
  readonly toGuid: string
  readonly toName: string
  readonly createdAtMs: number
  readonly features: readonly string[]
  readonly raw: boolean
  readonly logicalBytes: string
  readonly records: Readonly<Record<string, number>>
}

export interface RefusedStream extends Known {
  /** The code of the refusal. */
  readonly refused: string
}

const folder = (version: ZfsVersion): URL => new URL(`../fixtures/streams/${version}/`, import.meta.url)

function known(version: ZfsVersion): (AcceptedStream | RefusedStream)[] {
  return JSON.parse(readFileSync(new URL('facts.json', folder(version)), 'utf8'))
}

export const acceptedStreams = (version: ZfsVersion): AcceptedStream[] =>
  known(version).filter((stream) => !('refused' in stream)) as AcceptedStream[]

export const refusedStreams = (version: ZfsVersion): RefusedStream[] =>
  known(version).filter((stream) => 'refused' in stream) as RefusedStream[]

/** The bytes of the stream of that name, as `zfs send` wrote them. */
export function fixtureBytes(version: ZfsVersion, name: string): Buffer {
  const stream = known(version).find((each) => each.name === name)
  if (stream === undefined) throw new Error(`no stream ${name} of ${version} is kept`)
  return readFileSync(new URL(stream.file, folder(version)))
}
