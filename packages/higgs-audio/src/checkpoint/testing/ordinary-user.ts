/** "nobody" on most systems; any id does that is not root's. */
const ORDINARY_USER_ID = 65_534;

/**
 * Runs an action without root's right to ignore the permissions of files. Who is not root runs it as they are, and so
 * does everybody where there are no user ids.
 */
export async function asOrdinaryUser<T>(action: () => Promise<T>): Promise<T> {
  const { seteuid } = process;
  if (process.getuid?.() !== 0 || seteuid === undefined) return action();
  seteuid(ORDINARY_USER_ID);
  try {
    return await action();
  } finally {
    seteuid(0);
  }
}
