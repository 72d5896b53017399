/** The system's errors about files, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of its path is not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not do that',
  EPERM: 'this user may not do that',
  EROFS: 'its file system may only be read',
  ENOSPC: 'the disk is full',
  EDQUOT: "the user's disk quota is used up",
  EFBIG: 'a file may not grow that long there',
  EMFILE: 'this process has too many files open',
  EIO: 'the disk failed',
}

export const reasonOf = (errno: string): string => REASONS[errno] ?? `the system answered ${errno}`
