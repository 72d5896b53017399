/** `daemon`: serves the projects of this host until it is told to stop; what is mounted stays so. */
import { errorFields } from '../../log/lines.ts'
import type { Verb } from '../cli.ts'

interface Options {
  readonly config: string
}

export const verb: Verb<[], Options> = {
  configure(command) {
    command.option('--config <file>', 'its configuration', '/etc/tidepool/tidepool.yaml')
  },

  async run(cli, _arguments, { config }) {
    const { readConfig } = await import('../../config/read.ts')
    const { Daemon } = await import('../../daemon.ts')
    const { DaemonService } = await import('../../service/daemon-service.ts')
    const { stderrLog } = await import('../../log/log.ts')
    const read = await readConfig(config)
    const log = stderrLog(read.log.level)
    // All that it says has one form, and a level for the journal.
    const say = (line: string): void => log.info({ event: 'note' }, line)
    const service = DaemonService.from(cli.surroundings.env, (why) => log.warn({ event: 'note' }, why))
    const daemon = await Daemon.start(read, cli.signal, { configFile: config, log, say })
    service?.ready(daemon)
    const reload = () => daemon.reload()
    cli.surroundings.onHangup?.(
      () => void (service ? service.reloading(reload) : reload()).catch(() => {}), // it says so itself
    )
    say(`serving ${daemon.config.dataset} from ${daemon.config.store}`)
    const { removed, writes, left, aside, outlived } = daemon.engine.found
    for (const { command, pid } of outlived.ended)
      say(`ended \`${command}\` (${pid}): an earlier daemon had begun it`)
    for (const { command, pid } of outlived.stuck)
      log.warn({ event: 'note' }, `\`${command}\` (${pid}) of an earlier daemon can't be ended`)
    for (const name of removed) say(`removed ${name}: an open had begun it`)
    for (const { project, state } of writes) say(`a write of ${project} that was begun is ${state} now`)
    for (const { name } of aside) say(`${name} was set aside earlier`)
    for (const { what, error } of left)
      log.warn({ event: 'note', error: errorFields(error) }, `${what} is left for the next start`)
    await new Promise<void>((resolve) => {
      if (cli.signal.aborted) resolve()
      else cli.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await (service ? service.stop(daemon) : daemon.stop())
    // To be told to stop is how it ends.
    return 0
  },
}
