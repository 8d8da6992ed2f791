// Rows of a list that is read again while somebody works in it.

/**
 * merge puts what was read into rows, in its order. A row that stays is the object
 * that it was, so that what was ticked, opened or pointed at stays so.
 */
export function merge<T extends { id: string }>(rows: T[], read: readonly T[]): void {
  const were = new Map(rows.map((r) => [r.id, r]))
  rows.splice(0, rows.length, ...read.map((r) => {
    const was = were.get(r.id)
    if (!was) return r
    for (const k of Object.keys(was)) if (!(k in r)) delete was[k as keyof T]
    return Object.assign(was, r)
  }))
}
