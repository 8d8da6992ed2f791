package money

import "strings"

var (
	capitalDigits = []string{"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"}
	capitalPlaces = []string{"", "拾", "佰", "仟"}
	capitalGroups = []string{"", "万", "亿", "万亿"}
)

// Capital prints the amount in Chinese capitals (大写) as finance forms demand:
// 123450 fen → 壹仟贰佰叁拾肆元伍角整.
func (f Fen) Capital() string {
	sign, u := f.split()
	yuan, jiao, fen := u/100, u/10%10, u%10
	var b strings.Builder
	if sign != "" {
		b.WriteString("负")
	}
	if yuan > 0 || (jiao == 0 && fen == 0) {
		b.WriteString(capitalWhole(yuan) + "元")
	}
	switch {
	case jiao == 0 && fen == 0:
		b.WriteString("整")
	case jiao == 0:
		if yuan > 0 {
			b.WriteString("零")
		}
		b.WriteString(capitalDigits[fen] + "分")
	default:
		b.WriteString(capitalDigits[jiao] + "角")
		if fen > 0 {
			b.WriteString(capitalDigits[fen] + "分")
		} else {
			b.WriteString("整")
		}
	}
	return b.String()
}

// capitalWhole writes whole yuan in groups of four digits.
func capitalWhole(n uint64) string {
	if n == 0 {
		return "零"
	}
	var out string
	gap := false // a zero must be spoken before what follows
	for g := 0; n > 0; g++ {
		part := n % 10000
		n /= 10000
		if part == 0 {
			gap = out != ""
			continue
		}
		text := capitalFour(part) + capitalGroups[g]
		if gap {
			text += "零"
		}
		gap = part < 1000 && n > 0
		out = text + out
	}
	return strings.ReplaceAll(out, "零零", "零")
}

func capitalFour(n uint64) string {
	var out string
	zero := false
	for p := 0; n > 0; p++ {
		d := n % 10
		n /= 10
		if d == 0 {
			zero = out != ""
			continue
		}
		text := capitalDigits[d] + capitalPlaces[p]
		if zero {
			text += "零"
			zero = false
		}
		out = text + out
	}
	return out
}
