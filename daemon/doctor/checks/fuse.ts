/** What a root of links needs of this machine. */
import { messageOf } from '../../../pipeline/base/errors.ts'
import { type Check, fail, ok, skipped, warn } from '../check.ts'

export const device: Check = {
  name: '/dev/fuse',
  run: async (world) => {
    if (await world.mayUse('/dev/fuse')) return ok('there')
    if ((await world.read('/proc/filesystems'))?.includes('\tfuse\n'))
      return fail(
        'this user may not open it',
        'as root: chmod 666 /dev/fuse; in a container, give it the device',
      )
    return fail('missing', 'modprobe fuse; in a container, give it the device')
  },
}

/** That the addon can be loaded shows that the library is there, and of the right kind. */
export const library: Check = {
  name: 'libfuse2',
  run: async (world) => {
    try {
      await world.loadAddon()
      return ok('the addon loads with it')
    } catch (error) {
      const text = messageOf(error)
      return text.includes('libfuse')
        ? fail(text, 'apt-get install libfuse2 (libfuse2t64 on Ubuntu 24.04 and Debian 13)')
        : fail(text, 'npm ci, or npm install -g tidepool: with optional dependencies')
    }
  },
}

export const fusermount: Check = {
  name: 'fusermount',
  run: async (world) => {
    const found = await world.program('fusermount')
    return found === undefined ? warn('not in the PATH', 'apt-get install fuse3') : ok(found)
  },
}

/** Root may let others in without being allowed to. */
export const allowOther: Check = {
  name: 'allow_other',
  run: async (world) => {
    if (world.uid === 0) return ok('not needed: the access process runs as root')
    const text = await world.read('/etc/fuse.conf')
    if (text?.split('\n').some((line) => line.trim() === 'user_allow_other'))
      return ok('user_allow_other is set')
    return fail(
      'other users than this one would not get into the root',
      'echo user_allow_other >> /etc/fuse.conf, or run it as root',
    )
  },
}

const LONGEST_WAIT_S = 120

/** The kernel ends the whole root, not one request, when one is older. */
export const requestTimeout: Check = {
  name: 'FUSE request timeout',
  run: async (world) => {
    const names = ['max_request_timeout', 'default_request_timeout']
    const values = await Promise.all(names.map((name) => world.read(`/proc/sys/fs/fuse/${name}`)))
    if (values.every((value) => value === undefined)) return skipped('this kernel has none')
    const short = names.filter((_, at) => {
      const seconds = Number(values[at] ?? 0)
      return seconds > 0 && seconds < LONGEST_WAIT_S
    })
    if (short.length === 0) return ok(`none below ${LONGEST_WAIT_S} s`)
    const [name] = short
    return fail(
      `${short.map((each) => `fs.fuse.${each}`).join(' and ')} below ${LONGEST_WAIT_S} s: a slow open would end the root`,
      `sysctl -w fs.fuse.${name}=0`,
    )
  },
}
