package files

import (
	"bytes"
	"io"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// blockSize is how much of a text is decoded together. What a block's cells are
// kept for keeps the whole block.
const blockSize = 32 << 10

// block is a piece of a text that ends with a line: decoded as a whole where
// that gives the same as line by line, else as it is.
type block struct {
	raw  []byte // what was read and is not yet in text or odd
	text string // decoded lines that were not told yet
	odd  []byte // lines that are decoded one by one
	keep int    // bytes of raw that belong to odd or text
	out  []byte
	err  error // of the reader; it comes after the lines before it
}

// fill reads on until there is at least one line, or the end.
func (l *lines) fill() error {
	b := &l.block
	b.raw = b.raw[:copy(b.raw, b.raw[b.keep:])]
	b.keep = 0
	for end := 0; ; {
		if len(b.raw) >= maxLine && bytes.IndexByte(b.raw[:maxLine], '\n') < 0 {
			return errLong
		}
		if i := bytes.LastIndexByte(b.raw[end:], '\n'); i >= 0 && (b.err != nil || len(b.raw) >= blockSize) {
			b.keep = end + i + 1
			break
		}
		if b.err != nil {
			if b.err != io.EOF || len(b.raw) == 0 {
				return b.err
			}
			b.keep = len(b.raw)
			break
		}
		if len(b.raw) < blockSize {
			end = 0
		} else {
			end = len(b.raw)
		}
		b.read(l.in)
	}
	l.decodeBlock(b.raw[:b.keep])
	return nil
}

// read reads once more, up to what makes a block, or beyond where a line is
// longer.
func (b *block) read(in io.Reader) {
	want := blockSize
	if len(b.raw) >= blockSize {
		want = len(b.raw) + blockSize
	}
	if cap(b.raw) < want {
		b.raw = append(make([]byte, 0, want), b.raw...)
	}
	n, err := in.Read(b.raw[len(b.raw):want])
	b.raw, b.err = b.raw[:len(b.raw)+n], err
}

// decodeBlock decodes lines together where no line is odd.
func (l *lines) decodeBlock(raw []byte) {
	b := &l.block
	switch {
	case l.gbk == nil && utf8.Valid(raw):
		b.text = string(raw)
	case l.gbk != nil && !l.sure:
		out, ok := decodeGBK(b.out[:0], raw)
		if b.out = out; ok {
			b.text = string(out)
			return
		}
		fallthrough
	default:
		b.odd = raw
	}
}

// gbkTable holds the characters of two bytes, 0 where there is none.
var gbkTable = sync.OnceValue(func() *[1 << 16]uint16 {
	var in []byte
	for code := 0x8140; code <= 0xfefe; code++ {
		if code&0xff >= 0x40 && code&0xff != 0x7f && code&0xff != 0xff {
			in = append(in, byte(code>>8), byte(code), '\n')
		}
	}
	table := new([1 << 16]uint16)
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(in)
	if err != nil {
		return table
	}
	for char := range bytes.Lines(out) {
		code := int(in[0])<<8 | int(in[1])
		in = in[3:]
		if r, n := utf8.DecodeRune(char); n == len(char)-1 && r != utf8.RuneError && r < 1<<16 {
			table[code] = uint16(r)
		}
	}
	return table
})

// decodeGBK appends a text of characters of one and two bytes; false says that
// there are others.
func decodeGBK(out, raw []byte) ([]byte, bool) {
	table := gbkTable()
	for i := 0; i < len(raw); {
		c := raw[i]
		if c < utf8.RuneSelf {
			begin := i
			for i++; i < len(raw) && raw[i] < utf8.RuneSelf; i++ {
			}
			out = append(out, raw[begin:i]...)
			continue
		}
		if i+1 == len(raw) {
			return out, false
		}
		r := table[uint(c)<<8|uint(raw[i+1])]
		if r == 0 {
			return out, false
		}
		i += 2
		if r < 0x800 {
			out = append(out, 0xc0|byte(r>>6), 0x80|byte(r)&0x3f)
			continue
		}
		out = append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return out, true
}
