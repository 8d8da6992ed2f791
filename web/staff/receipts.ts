// How long a channel still gives out an electronic receipt.
const DAY = 86_400_000

/** lapse tells how a receipt's last day stands; it is worth a look from 30 days before. */
export function lapse(expires: string, now = Date.now()): { soon: boolean; text: string } {
  const left = new Date(expires).getTime() - now
  return { soon: left < 30 * DAY, text: left < 0 ? '已过期' : `剩 ${Math.floor(left / DAY)} 天` }
}
