/** Writes all of a buffer, in pieces that the kernel takes cheaply. */
import { KIB } from './units.ts'

/**
 * The kernel looks for one run of free memory for each write, and long runs are dear: beyond this a virtual machine often
 * has to have them back from its host first. The same bytes in one write of 1 MiB have cost eight times as much.
 */
const PIECE_BYTES = 256 * KIB

interface Writable {
  write(
    data: Uint8Array,
    from: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesWritten: number }>
}

/** At `offset`, or where the file stands. The kernel may take less at a time, near the end of the disk. */
export async function writeWhole(
  file: Writable,
  data: Uint8Array,
  offset: number | null = null,
): Promise<void> {
  let done = 0
  while (done < data.length) {
    const length = Math.min(PIECE_BYTES, data.length - done)
    const { bytesWritten } = await file.write(data, done, length, offset === null ? null : offset + done)
    done += bytesWritten
  }
}
