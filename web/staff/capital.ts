// An amount in Chinese capitals (大写), as finance forms demand it.
const digits = '零壹贰叁肆伍陆柒捌玖'
const places = ['', '拾', '佰', '仟']
const groups = ['', '万', '亿', '万亿']

/** capital prints 123450 fen as 壹仟贰佰叁拾肆元伍角整. */
export function capital(fen: number): string {
  const abs = Math.abs(fen)
  const [yuan, jiao, rest] = [Math.floor(abs / 100), Math.floor(abs / 10) % 10, abs % 10]
  const head = yuan || (!jiao && !rest) ? `${whole(yuan)}元` : ''
  const small = jiao ? `${digits[jiao]}角${rest ? `${digits[rest]}分` : '整'}` : rest ? `${yuan ? '零' : ''}${digits[rest]}分` : '整'
  return (fen < 0 ? '负' : '') + head + small
}

/** whole writes yuan digit by digit: zeros between others are said once, those at the end of four not at all. */
function whole(yuan: number): string {
  if (!yuan) return '零'
  const text = String(yuan)
  let out = ''
  let zero = false
  let said = false // something of these four digits
  for (const [i, c] of [...text].entries()) {
    const place = text.length - 1 - i
    if (c === '0') zero = out !== ''
    else {
      out += (zero ? '零' : '') + digits[Number(c)] + places[place % 4]
      zero = false
      said = true
    }
    if (place % 4) continue
    if (said) {
      out += groups[place / 4]
      zero = false
    }
    said = false
  }
  return out
}
