/** The ZFS of this machine: its commands, and what they can do. Everything else in this folder takes one of these. */
import { type Capabilities, findCapabilities } from './capabilities.ts'
import { type CommandHelpers, Commands, type RunOptions } from './run.ts'
import type { CommandSettings } from './settings.ts'

export interface Zfs {
  readonly commands: Commands
  readonly capabilities: Capabilities
}

export async function openZfs(
  settings: Partial<CommandSettings> = {},
  { launcher, ...options }: RunOptions & Pick<CommandHelpers, 'launcher'> = {},
): Promise<Zfs> {
  const commands = new Commands(settings, { launcher })
  return { commands, capabilities: await findCapabilities(commands, options) }
}
