/** The addon that speaks FUSE, loaded only by whoever serves a root: everything else works where it cannot be loaded. */
import type Fuse from 'fuse-native'
import { TidepoolError } from '../../pipeline/base/errors.ts'

/** Rejects with `fuse-missing` where the package or the library that it needs is not there. */
export async function loadAddon(): Promise<typeof Fuse> {
  try {
    return (await import('fuse-native')).default
  } catch (error) {
    throw new TidepoolError('fuse-missing', `FUSE cannot be used: ${(error as Error).message}`, {
      cause: error,
      hint: 'It needs the npm package fuse-native and libfuse 2 (Debian: libfuse2).',
    })
  }
}
