/** `demo`: plays what Tidepool is for, in a place of its own, and compares. */
import type { Cli, Verb } from '../cli.ts'

interface Options {
  readonly streams?: boolean
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command
      .option('--streams', 'with streams alone: needs neither root nor FUSE nor ZFS')
      .addHelpText('after', '\nNo daemon, pool or store that there is already is touched.')
  },

  async run(cli, _arguments, { streams = false }) {
    const { makePlace, removePlace } = await import('../../demo/place.ts')
    const { inPeopleWords, Steps } = await import('../../demo/steps.ts')
    const steps = new Steps(cli.signal, async (line) => {
      if (!cli.out.json) await cli.out.lines([inPeopleWords(line)])
    })
    const beganMs = cli.clock.monotonicMs()
    if (streams) {
      const { playStreams } = await import('../../demo/streams.ts')
      await removeLeft(cli, removePlace)
      const place = await makePlace()
      try {
        await playStreams(place, steps, cli.signal)
      } finally {
        await removePlace(place)
      }
    } else {
      const { tearDown, whatIsNeeded } = await import('../../demo/machine.ts')
      const { playProjects } = await import('../../demo/projects.ts')
      const zfs = await whatIsNeeded(cli.signal)
      const clear = async (place: string): Promise<void> => {
        await tearDown(place)
        await removePlace(place)
      }
      await removeLeft(cli, clear)
      const place = await makePlace()
      try {
        await playProjects(place, zfs, steps, cli.signal)
      } finally {
        await clear(place)
      }
    }
    const elapsedMs = Math.round(cli.clock.monotonicMs() - beganMs)
    await cli.out.one({ steps: steps.done, elapsedMs }, () => [
      `All of it was as it should be, in ${(elapsedMs / 1000).toFixed(1)} s; nothing of it is left.`,
    ])
  },
}

/** By one that was killed. What cannot be removed is in nobody's way. */
async function removeLeft(cli: Cli, remove: (place: string) => Promise<void>): Promise<void> {
  const { leftPlaces } = await import('../../demo/place.ts')
  for (const place of await leftPlaces())
    await remove(place).then(
      () => cli.say(`removed ${place}, which a demonstration that was killed had left`),
      (error: unknown) => cli.warn(`${place} stays`, error),
    )
}
