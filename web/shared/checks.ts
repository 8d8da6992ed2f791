// Checks beside the fields. The server decides; these only save a round trip.

export function phoneOK(text: string): boolean {
  return /^1\d{10}$/.test(text.trim())
}

/** alipayOK: a mobile number, an e-mail address or a 2088 user number. */
export function alipayOK(text: string): boolean {
  const s = text.trim()
  return phoneOK(s) || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(s) || /^2088\d{12}$/.test(s)
}

/** nameFits compares a name with its mask (张*): the mask keeps the first character and shows up to three stars. */
export function nameFits(name: string, mask: string): boolean {
  const n = [...name.trim()]
  const m = [...mask]
  if (n.length === 0) return false
  if (m.length === 0) return true
  return n[0] === m[0] && Math.min(Math.max(n.length - 1, 1), 3) === m.length - 1
}

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

/** idNoOK checks a resident ID number: form, date and check character (GB 11643). */
export function idNoOK(text: string, now = new Date()): boolean {
  const s = text.trim().toUpperCase()
  if (!/^\d{17}[\dX]$/.test(s)) return false
  const birth = birthday(s)
  if (!birth || birth > now || birth.getFullYear() < 1880) return false
  const sum = weights.reduce((n, w, i) => n + w * Number(s[i]), 0)
  return '10X98765432'[sum % 11] === s[17]
}

function birthday(idNo: string): Date | null {
  const [y, m, d] = [Number(idNo.slice(6, 10)), Number(idNo.slice(10, 12)), Number(idNo.slice(12, 14))]
  const date = new Date(y, m - 1, d)
  return date.getFullYear() === y && date.getMonth() === m - 1 && date.getDate() === d ? date : null
}

/** ageOf is the age in full years by a valid ID number. */
export function ageOf(idNo: string, now = new Date()): number {
  const birth = birthday(idNo.trim())
  if (!birth) return 0
  const before = now.getMonth() < birth.getMonth() || (now.getMonth() === birth.getMonth() && now.getDate() < birth.getDate())
  return now.getFullYear() - birth.getFullYear() - (before ? 1 : 0)
}
