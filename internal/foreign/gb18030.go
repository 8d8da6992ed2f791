package foreign

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The user-defined zones of GBK (造字) lie in the private use area of Unicode,
// row after row.
var gbZones = []struct {
	lead, leads  int // first lead byte, how many
	trail, cells int // first trail byte, cells of a row (0x7f is none)
	to           rune
}{
	{0xaa, 6, 0xa1, 94, 0xe000}, {0xf8, 7, 0xa1, 94, 0xe234}, {0xa1, 7, 0x40, 96, 0xe4c6},
}

// gbRuns are the other codes that golang.org/x/text leaves out: characters as
// GB 18030-2022 has them, and the places that it keeps for private use.
var gbRuns = []struct {
	from, n int
	to      rune
}{
	{0xa2ab, 6, 0xe766}, {0xa2e4, 1, 0xe76d}, {0xa2ef, 2, 0xe76e}, {0xa2fd, 2, 0xe770}, {0xa4f4, 11, 0xe772}, {0xa5f7, 8, 0xe77d},
	{0xa6b9, 8, 0xe785},
	{0xa6d9, 1, 0xfe10}, {0xa6da, 1, 0xfe12}, {0xa6db, 1, 0xfe11}, {0xa6dc, 4, 0xfe13}, {0xa6ec, 2, 0xfe17}, {0xa6f3, 1, 0xfe19},
	{0xa6f6, 9, 0xe797},
	{0xa7c2, 15, 0xe7a0}, {0xa7f2, 13, 0xe7af}, {0xa896, 11, 0xe7bc}, {0xa8bc, 1, 0x1e3f}, {0xa8c1, 4, 0xe7c9}, {0xa8ea, 21, 0xe7cd},
	{0xa958, 1, 0xe7e2}, {0xa95b, 1, 0xe7e3}, {0xa95d, 3, 0xe7e4}, {0xa997, 13, 0xe7f4}, {0xa9f0, 15, 0xe801}, {0xd7fa, 5, 0xe810},
	{0xfe51, 1, 0x20087}, {0xfe52, 1, 0x20089}, {0xfe53, 1, 0x200cc}, {0xfe59, 1, 0x9fb4}, {0xfe61, 1, 0x9fb5}, {0xfe66, 2, 0x9fb6},
	{0xfe6c, 1, 0x215d7},
	{0xfe6d, 1, 0x9fb8}, {0xfe76, 1, 0x2298f}, {0xfe7e, 1, 0x9fb9}, {0xfe90, 1, 0x9fba}, {0xfe91, 1, 0x241fe}, {0xfea0, 1, 0x9fbb},
}

// gbTables are made when the first odd character comes.
var gbTables = sync.OnceValues(func() (runes map[uint16]rune, codes map[rune]uint16) {
	runes, codes = map[uint16]rune{}, map[rune]uint16{}
	put := func(code int, r rune) { runes[uint16(code)], codes[r] = r, uint16(code) }
	for _, z := range gbZones {
		for i := range z.leads * z.cells {
			trail := z.trail + i%z.cells
			if z.trail < 0x7f && trail >= 0x7f {
				trail++
			}
			if code := (z.lead+i/z.cells)<<8 | trail; code != 0xa3a0 { // that one is a blank to everybody
				put(code, z.to+rune(i))
			}
		}
	}
	for _, run := range gbRuns {
		for i := range run.n {
			put(run.from+i, run.to+rune(i))
		}
	}
	return runes, codes
})

// DecodeGB turns GB18030, of which GBK and GB2312 are parts, into text. Bytes
// that are no character become U+FFFD, and whole is false.
func DecodeGB(data []byte) (text string, whole bool) {
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
		return string(out), true
	}
	runes, _ := gbTables()
	var b strings.Builder
	whole = true
	for len(data) > 0 {
		r, n := gbChar(runes, data)
		if r == utf8.RuneError {
			whole = false
		}
		b.WriteRune(r)
		data = data[n:]
	}
	return b.String(), whole
}

// gbChar reads the first character of data.
func gbChar(runes map[uint16]rune, data []byte) (r rune, n int) {
	switch {
	case data[0] < utf8.RuneSelf:
		return rune(data[0]), 1
	case len(data) >= 2 && data[1] >= 0x40:
		if r, ok := runes[uint16(data[0])<<8|uint16(data[1])]; ok {
			return r, 2
		}
		n = 2
	case len(data) >= 4 && data[1] >= '0' && data[1] <= '9':
		n = 4
	default:
		return utf8.RuneError, 1
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data[:n])
	if r, size := utf8.DecodeRune(out); err == nil && r != utf8.RuneError && size == len(out) {
		return r, n
	}
	return utf8.RuneError, 1
}

// EncodeGB turns text into GB18030, or into GBK, and tells whether the charset
// has all its characters.
func EncodeGB(text string, gbk bool) ([]byte, bool) {
	enc := simplifiedchinese.GB18030.NewEncoder()
	if gbk {
		enc = simplifiedchinese.GBK.NewEncoder()
	}
	_, codes := gbTables()
	var out []byte
	for begin, i := 0, 0; ; {
		r, n := utf8.DecodeRuneInString(text[i:])
		code, ours := codes[r]
		if i == len(text) || ours {
			part, err := enc.Bytes([]byte(text[begin:i]))
			if err != nil {
				return nil, false
			}
			out = append(out, part...)
		}
		switch {
		case i == len(text):
			return out, true
		case r == utf8.RuneError:
			return nil, false
		case ours:
			out = append(out, byte(code>>8), byte(code))
			begin = i + n
		}
		i += n
	}
}
