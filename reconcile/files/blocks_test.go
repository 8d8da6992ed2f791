package files

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// FuzzLines compares texts that are decoded in blocks with what comes out line
// by line.
func FuzzLines(f *testing.F) {
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String("卡号,金额\r\n张三,1.00\n合计,1.00")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"a,b\n1,2", gbk, gbk + "\xff\n" + gbk, "卡号,金额\r\r\n张三,\"1\n00\"\n", "\xef\xbb\xbf卡号\n\xd5\xc5",
		gbk + "\x81\x30\x81\x30\n\x80\n"} {
		f.Add([]byte(s), uint16(1))
		f.Add([]byte(s), uint16(40_000))
	}
	f.Fuzz(func(t *testing.T, data []byte, again uint16) {
		if len(data) > 4000 {
			return
		}
		data = append(bytes.Repeat(data, 1+int(again)/(len(data)+1)), data...)
		l, slow := newLines("f", bytes.NewReader(data)), newLines("f", bytes.NewReader(data))
		if l.err != nil {
			return
		}
		rest := data
		if slow.sure && bytes.HasPrefix(rest, []byte("\xef\xbb\xbf")) {
			rest = rest[3:]
		}
		if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
			return // UTF-16, which is decoded before
		}
		for n := 1; ; n++ {
			line, err := l.next()
			if len(rest) == 0 {
				if err != io.EOF {
					t.Fatalf("line %d: %q %v at the end", n, line, err)
				}
				return
			}
			raw := rest
			if i := bytes.IndexByte(raw, '\n'); i >= 0 {
				raw = raw[:i+1]
			}
			rest = rest[len(raw):]
			want, wantErr := slow.decode(bytes.TrimRight(raw, "\r\n"))
			if line != want || err != wantErr || l.n != n {
				t.Fatalf("line %d (%d): %q %v, want %q %v", n, l.n, line, err, want, wantErr)
			}
		}
	})
}

// TestLines_LongOnesAreBounded to the byte.
func TestLines_LongOnesAreBounded(t *testing.T) {
	for _, size := range []int{maxLine - blockSize, maxLine - 2, maxLine - 1, maxLine, maxLine + 1, maxLine + blockSize} {
		for _, head := range []string{"", "first\n"} {
			l := newLines("f", strings.NewReader(head+strings.Repeat("x", size)+"\nlast\n"))
			var got []string
			var err error
			for err == nil {
				var line string
				if line, err = l.next(); err == nil {
					got = append(got, line)
				}
			}
			if fits := size < maxLine; fits != (err == io.EOF) || fits != (len(got) > 1 && got[len(got)-1] == "last") {
				t.Errorf("%d behind %q: %d lines, %v", size, head, len(got), err)
			}
		}
	}
}

func TestDecodeGBK_IsTheLibrary(t *testing.T) {
	n := 0
	for lead := 0; lead < 256; lead++ {
		for trail := 0; trail < 256; trail++ {
			raw := []byte{'a', byte(lead), byte(trail), 'b', '\n'}
			out, ok := decodeGBK(nil, raw)
			if !ok {
				continue
			}
			n++
			want, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
			if err != nil || string(out) != string(want) {
				t.Fatalf("%x: %q, want %q %v", raw, out, want, err)
			}
		}
	}
	if n < 20_000 {
		t.Errorf("only %d pairs are known", n)
	}
}
