// Package money holds amounts as whole fen (1 yuan = 100 fen). Floats never
// appear: parsing and printing are the only ways in and out.
package money

import (
	"fmt"
	"strconv"
)

// Fen is an amount in fen (分), the smallest unit of the yuan.
type Fen int64

// Max is the largest amount that any part of hospay accepts: 1,000,000,000,000
// fen, far below 2^53, so it also survives a float64 on a foreign wire.
const Max Fen = 1_000_000_000_000

// MaxTotal is the largest sum of amounts that is read, as bills of a busy day end
// with; it is below 2^53, too.
const MaxTotal Fen = 9_000_000_000_000_000

// Yuan prints the amount with two decimals and no separators: "1234.50".
// It is the form of foreign wires (Alipay, HIS).
func (f Fen) Yuan() string {
	sign, u := f.split()
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

// String prints the amount for people: "¥1,234.50".
func (f Fen) String() string {
	sign, u := f.split()
	whole := strconv.FormatUint(u/100, 10)
	to := append(make([]byte, 0, 32), sign+"¥"...)
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			to = append(to, ',')
		}
		to = append(to, whole[i])
	}
	return string(append(to, '.', byte('0'+u%100/10), byte('0'+u%10)))
}

// Add returns f+g and fails where the sum leaves ±Max.
func (f Fen) Add(g Fen) (Fen, error) {
	sum := f + g
	if sum > Max || sum < -Max {
		return 0, ErrOverflow
	}
	return sum, nil
}

func (f Fen) split() (string, uint64) {
	if f < 0 {
		return "-", uint64(-(f + 1)) + 1
	}
	return "", uint64(f)
}
