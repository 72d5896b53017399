/** A machine on which everything is well, for tests that spoil one thing of it. */

import { parseConfig } from '../../daemon/config/read.ts'
import type { World } from '../../daemon/doctor/world.ts'
import { type Mount, parseMountinfo } from '../../native/mount/mountinfo.ts'
import { memoryStore } from '../../pipeline/stores/memory.ts'

export const NOW_MS = Date.UTC(2026, 10, 27, 12)

export const config = (lines: readonly string[] = []) =>
  parseConfig(['store: dir:/srv/store', 'dataset: tank/projects', ...lines].join('\n'), 'test.yaml')

export const mountsOf = (text: string): Mount[] => parseMountinfo(text)

const FILES: Readonly<Record<string, string>> = {
  '/proc/filesystems': 'nodev\tfuse\n\text4\n',
  '/proc/self/limits': 'Max open files            1024                 524288               files\n',
  '/etc/updatedb.conf': 'PRUNEPATHS="/tmp /projects /var/lib/tidepool"\n',
  '/proc/sys/fs/fuse/max_request_timeout': '0\n',
}

export function wellWorld(
  spoilt: Partial<World> & { files?: Record<string, string | undefined> } = {},
): World {
  const { files, ...parts } = spoilt
  const all: Record<string, string | undefined> = { ...FILES, ...files }
  return {
    configFile: '/etc/tidepool/tidepool.yaml',
    config: config(),
    uid: 0,
    nodeVersion: '22.1.0',
    nowMs: () => NOW_MS,
    read: async (file) => all[file],
    mayUse: async () => true,
    program: async (name) => `/usr/bin/${name}`,
    space: async () => ({
      freeBytes: 2n ** 40n,
      totalBytes: 2n ** 41n,
      freeInodes: 500n,
      totalInodes: 1000n,
    }),
    mounts: async () =>
      mountsOf(
        [
          '1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw',
          '2 1 0:50 / /projects rw shared:2 - fuse.tidepool tidepool rw',
        ].join('\n'),
      ),
    loadAddon: async () => {},
    zfs: () => Promise.reject(new Error('no ZFS was given to this test')),
    store: async () => memoryStore({ nowMs: () => NOW_MS }),
    fileTimeMs: async () => NOW_MS,
    peerCertificateEndMs: async () => NOW_MS + 365 * 24 * 60 * 60_000,
    askDaemon: async <Answer>() => ({ mayAct: true, why: null, open: 3, failingSaves: [] }) as Answer,
    answersWalks: async () => true,
    ...parts,
  }
}
