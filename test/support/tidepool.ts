/** The command as a process, from the sources as they stand, whatever was built before. */
import { main } from '../../daemon/cli/main.ts'

await main()
