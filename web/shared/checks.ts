// Checks beside the fields. The server decides; these only save a round trip.

/** phone is a mobile number in its eleven digits: +86, blanks, dashes and full-width digits do not count (people/phone.go). */
export function phone(text: string): string {
  return text.normalize('NFKC').replace(/[\s()‐‑–—-]/g, '').replace(/^(\+86|0086|86)(?=.{11}$)/, '')
}

export function phoneOK(text: string): boolean {
  return /^1\d{10}$/.test(phone(text))
}

/** alipayOK: a mobile number, an e-mail address or a 2088 user number. */
export function alipayOK(text: string): boolean {
  const s = text.trim()
  return phoneOK(s) || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(s) || /^2088\d{12}$/.test(s)
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
