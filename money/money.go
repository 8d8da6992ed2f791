// Package money holds amounts as whole fen (1 yuan = 100 fen). Floats never
// appear: parsing and printing are the only ways in and out.
package money

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Fen is an amount in fen (分), the smallest unit of the yuan.
type Fen int64

// Max is the largest amount that any part of hospay accepts: 1,000,000,000,000
// fen, far below 2^53, so it also survives a float64 on a foreign wire.
const Max Fen = 1_000_000_000_000

// Errors of Parse and Add.
var (
	ErrSyntax   = errors.New("money: not an amount in yuan")
	ErrPrecise  = errors.New("money: more than two decimals")
	ErrOverflow = errors.New("money: amount out of range")
)

// Parse reads an amount in yuan such as "12", "12.3", "1,234.50" or "-0.05"
// and returns it in fen. Thousands separators must stand every three digits.
// Blanks around the number and a leading ¥ or ￥ are allowed.
func Parse(s string) (Fen, error) {
	t := strings.TrimSpace(s)
	neg := strings.HasPrefix(t, "-")
	t = strings.TrimPrefix(t, "-")
	t = strings.TrimPrefix(strings.TrimPrefix(t, "¥"), "￥")
	whole, frac, dot := strings.Cut(t, ".")
	whole, ok := ungroup(whole)
	if !ok || !digits(whole) || (dot && !digits(frac)) {
		return 0, fmt.Errorf("%w: %q", ErrSyntax, clip(s))
	}
	if len(frac) > 2 && strings.Trim(frac[2:], "0") != "" {
		return 0, fmt.Errorf("%w: %q", ErrPrecise, clip(s))
	}
	v, ok := toFen(whole, (frac + "00")[:2])
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrOverflow, clip(s))
	}
	if neg {
		v = -v
	}
	return v, nil
}

// Yuan prints the amount with two decimals and no separators: "1234.50".
// It is the form of foreign wires (Alipay, HIS).
func (f Fen) Yuan() string {
	sign, u := f.split()
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

// String prints the amount for people: "¥1,234.50".
func (f Fen) String() string {
	sign, u := f.split()
	whole := fmt.Sprint(u / 100)
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return fmt.Sprintf("%s¥%s.%02d", sign, b.String(), u%100)
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

func toFen(whole, frac string) (Fen, bool) {
	var v uint64
	for _, c := range whole + frac {
		v = v*10 + uint64(c-'0')
		if v > math.MaxInt64/100 {
			return 0, false
		}
	}
	return Fen(v), Fen(v) <= Max
}

// ungroup removes thousands separators and reports whether they stood well.
func ungroup(s string) (string, bool) {
	if !strings.Contains(s, ",") {
		return s, true
	}
	parts := strings.Split(s, ",")
	for i, p := range parts {
		if (i > 0 && len(p) != 3) || (i == 0 && (len(p) < 1 || len(p) > 3)) {
			return "", false
		}
	}
	return strings.Join(parts, ""), true
}

func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
