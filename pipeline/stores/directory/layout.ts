/**
 * Where everything lies under a directory store's root. After its commit a `.zstream` file *is* the stream, and
 * `chain` names in order those that lead to the head, so that a project comes back with nothing but a shell:
 *
 *     while read -r s; do zfs receive -u pool/x < "$s" || break; done < chain
 */
import { join } from 'node:path'
import type { ProjectId, WriteId } from '../../base/ids.ts'

/** Grows when a program that knows only the older layout would do harm. */
export const FORMAT = 1
export const DIGEST_BYTES = 32

/** What people keep in their projects is theirs: whoever else should read a store is let in by hand. */
export const FILE_MODE = 0o600
export const DIRECTORY_MODE = 0o700

export const STREAM_SUFFIX = '.zstream'
export const SUMS_SUFFIX = '.sums'
export const CHAIN = 'chain'

export const markerFile = (root: string): string => join(root, 'tidepool.json')
export const ballastFile = (root: string): string => join(root, 'ballast')
export const catalogueDirectory = (root: string): string => join(root, 'catalogue')
/** What is about to be renamed into its place; what a crash leaves here nobody misses. */
export const temporaryDirectory = (root: string): string => join(root, 'temporary')
export const projectsDirectory = (root: string): string => join(root, 'projects')
export const projectDirectory = (root: string, project: ProjectId): string =>
  join(projectsDirectory(root), project)
export const chainFile = (root: string, project: ProjectId): string =>
  join(projectDirectory(root, project), CHAIN)

/** Relative to the project's directory, as it stands in `chain`. */
export const streamName = (write: WriteId): string => `${write}${STREAM_SUFFIX}`

export interface WritePaths {
  readonly directory: string
  /** Chunk `seq` lies at `seq * chunkBytes`. */
  readonly stream: string
  /** The chunks' digests: that of `seq` at `seq * 32`, zeros where no chunk was stored. */
  readonly sums: string
}

export function writePaths(root: string, write: { project: ProjectId; writeId: WriteId }): WritePaths {
  const directory = projectDirectory(root, write.project)
  return {
    directory,
    stream: join(directory, streamName(write.writeId)),
    sums: join(directory, `${write.writeId}${SUMS_SUFFIX}`),
  }
}
