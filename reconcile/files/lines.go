package files

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"hospay/internal/foreign"
	"hospay/reconcile"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

const (
	sampleSize = 64 << 10
	maxLine    = 256 << 10
	maxQuoted  = 20 // lines that one quoted cell may span
)

// errQuote says that a quoted cell is never closed.
var errQuote = errors.New("引号没有成对")

// errText says that a line is neither UTF-8 nor GBK.
var errText = errors.New("不是 UTF-8 也不是 GBK 文字")

// lines reads records of cells, one line each but for quoted cells that hold
// line breaks. n is the number of the line that the last record began on.
type lines struct {
	file    string
	in      *bufio.Reader
	n, read int
	sep     byte                          // what stands between cells
	rows    func() ([]string, int, error) // of a workbook or page, instead of in
	gbk     *encoding.Decoder             // the sample was not UTF-8
	sure    bool                          // the sample held Chinese in UTF-8
	sample  []byte
	pending []physical
	cells   []string
	head    string // the first lines as they are, for what stands above a header
	summary bool   // the text says of itself that it is a summary (汇总)
	err     error
	block   block
}

// physical is a line that was read ahead.
type physical struct {
	text string
	err  error
}

// newLines decides for UTF-8, UTF-16 or GBK by the beginning of the text.
func newLines(file string, in io.Reader) *lines {
	l := &lines{file: file, sep: ',', in: bufio.NewReaderSize(in, sampleSize)}
	if mark, _ := l.in.Peek(2); string(mark) == "\xff\xfe" || string(mark) == "\xfe\xff" { // Excel's "Unicode 文本"
		l.in = bufio.NewReaderSize(unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(l.in), sampleSize)
	}
	sample, err := l.in.Peek(sampleSize)
	if err != nil && err != io.EOF {
		l.err = err
	}
	if bytes.HasPrefix(sample, []byte("\xef\xbb\xbf")) {
		l.in.Discard(3)
		l.sure = true
		l.sample = sample[3:]
		return l
	}
	if bytes.IndexByte(sample, 0) >= 0 {
		l.err = &Refusal{file, 0, "不是文本文件（若是 Excel 的 Unicode 文本，请另存为 UTF-8 CSV）"}
	}
	if i := bytes.LastIndexByte(sample, '\n'); i > 0 && len(sample) == sampleSize {
		sample = sample[:i]
	}
	if good, bad := countUTF8(sample); good > bad {
		l.sure = true
	} else if bad > 0 {
		l.gbk = simplifiedchinese.GB18030.NewDecoder()
	}
	l.sample = sample
	return l
}

// newRows makes records of the rows of a workbook or page.
func newRows(file string, rows func() ([]string, int, error)) *lines {
	return &lines{file: file, sep: ',', rows: rows}
}

// findSeparator looks for the header of a table in the beginning of the text,
// with each of the marks that programs put between cells.
func (l *lines) findSeparator() {
	n := 0
	for line := range bytes.Lines(l.sample) {
		text, err := l.decode(bytes.TrimRight(line, "\r\n"))
		if n++; n > maxTitle+5 {
			return
		}
		for _, sep := range []byte(",\t;|") {
			if cells, _ := split(text, sep, nil); err == nil && isHeader(cells) {
				l.sep = sep
				return
			}
		}
	}
}

func isHeader(cells []string) bool {
	h := headerOf(cells)
	_, _, refunds, _ := Options{}.columnsOf(h, reconcile.HIS)
	_, _, charges, _ := Options{Charges: true}.columnsOf(h, reconcile.HIS)
	return max(refunds, charges) >= 3
}

// findHeader reports whether a table has a header among its first rows.
func (l *lines) findHeader() bool {
	for range maxTitle {
		cells, err := l.record()
		if err != nil || isHeader(cells) {
			return err == nil
		}
	}
	return false
}

// countUTF8 counts the lines with other than ASCII characters that are UTF-8
// and those that are not: one broken line does not make a file GBK.
func countUTF8(sample []byte) (good, bad int) {
	for line := range bytes.Lines(sample) {
		switch {
		case isASCII(line):
		case utf8.Valid(line):
			good++
		default:
			bad++
		}
	}
	return good, bad
}

func isASCII[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isFlate(err error) bool {
	var e flate.CorruptInputError
	return errors.As(err, &e)
}

// record returns the cells of the next line that is not blank, valid until the
// next call. errQuote and errText concern this line only; reading can go on.
func (l *lines) record() ([]string, error) {
	if l.rows != nil {
		return l.row()
	}
	for {
		text, err := l.next()
		if err != nil {
			return nil, err
		}
		if l.n <= 20 {
			l.head += text + "\n"
			l.summary = l.summary || l.n < 5 && strings.Contains(text, "汇总")
		}
		if text == "" || (text[0] <= ',' || text[0] == l.sep || text[0] >= utf8.RuneSelf) &&
			strings.Trim(text, ", \t\ufeff\u3000"+string(l.sep)) == "" {
			continue
		}
		var open bool
		if l.cells, open = split(text, l.sep, l.cells[:0]); !open {
			return l.cells, nil
		}
		return l.quoted(text)
	}
}

// row returns the next row of a workbook that is not blank.
func (l *lines) row() ([]string, error) {
	for {
		rec, n, err := l.rows()
		if err != nil {
			return nil, err
		}
		l.n = n
		text := strings.Join(rec, ",")
		if n <= 20 {
			l.head += text + "\n"
		}
		if trim(strings.ReplaceAll(text, ",", "")) != "" {
			return rec, nil
		}
	}
}

// quoted goes on over line breaks within a quoted cell.
func (l *lines) quoted(text string) ([]string, error) {
	start, taken := l.n, []physical(nil)
	for len(taken) < maxQuoted {
		more, err := l.next()
		if err == io.EOF {
			break
		}
		if err != nil && err != errText {
			return nil, err
		}
		taken = append(taken, physical{more, err})
		if err != nil {
			break
		}
		text += "\n" + more
		cells, open := split(text, l.sep, l.cells[:0])
		if !open {
			l.cells, l.n = cells, start
			return cells, nil
		}
	}
	l.pending = append(taken, l.pending...)
	l.read, l.n = start, start
	return nil, errQuote
}

// next returns the next line without its end.
func (l *lines) next() (string, error) {
	if l.err != nil {
		return "", l.err
	}
	if len(l.pending) > 0 {
		p := l.pending[0]
		l.pending = l.pending[1:]
		l.read++
		l.n = l.read
		return p.text, p.err
	}
	b := &l.block
	if b.text == "" && len(b.odd) == 0 {
		switch err := l.fill(); {
		case err == errLong:
			return "", &Refusal{l.file, l.read + 1, fmt.Sprintf("一行超过 %d KB，不是账单或表格", maxLine>>10)}
		case err != nil:
			return "", err
		}
	}
	l.read++
	l.n = l.read
	if b.text != "" {
		var line string
		if i := strings.IndexByte(b.text, '\n'); i >= 0 {
			line, b.text = b.text[:i], b.text[i+1:]
		} else {
			line, b.text = b.text, ""
		}
		for line != "" && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		return line, nil
	}
	raw := b.odd
	if i := bytes.IndexByte(raw, '\n'); i >= 0 {
		raw = raw[:i+1]
	}
	b.odd = b.odd[len(raw):]
	return l.decode(bytes.TrimRight(raw, "\r\n"))
}

// errLong says that a line has no end.
var errLong = errors.New("line without end")

func (l *lines) decode(raw []byte) (string, error) {
	if isASCII(raw) {
		return string(raw), nil
	}
	if l.gbk == nil && utf8.Valid(raw) {
		return string(raw), nil
	}
	if l.sure {
		return "", errText
	}
	if l.gbk == nil {
		l.gbk = simplifiedchinese.GB18030.NewDecoder()
	}
	l.gbk.Reset()
	if out, err := l.gbk.Bytes(raw); err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
		return string(out), nil
	}
	text, whole := foreign.DecodeGB(raw) // what the decoder does not know may be a character still
	if !whole {
		return "", errText
	}
	return text, nil
}

// split cuts a line at its separators. A line that begins with a backtick is
// one of WeChat's: every cell has the mark, and commas without it belong to
// texts; a spreadsheet that saved it again has put commas behind it, or quotes
// around its cells. open tells that a quoted cell is not closed on this line.
func split(text string, sep byte, cells []string) (_ []string, open bool) {
	if strings.HasPrefix(text, "`") && !quotedTick(text) {
		text = text[1:]
		for text != "" && strings.IndexByte(", \t", text[len(text)-1]) >= 0 {
			text = text[:len(text)-1]
		}
		return ticked(text, cells), false
	}
	for {
		if strings.HasPrefix(text, `"`) {
			cell, rest, ok := unquote(text[1:])
			if !ok {
				return cells, true
			}
			tail, after, more := cut(rest, sep)
			cells = append(cells, cell+tail)
			if !more {
				return cells, false
			}
			text = after
			continue
		}
		cell, rest, more := cut(text, sep)
		cells = append(cells, cell)
		if !more {
			return cells, false
		}
		text = rest
	}
}

// quotedTick reports whether a cell of WeChat's was put in quotes.
func quotedTick(text string) bool {
	return strings.IndexByte(text, '"') >= 0 && strings.Contains(text, ",\"`")
}

// ticked cuts at every comma with a backtick behind it.
func ticked(text string, cells []string) []string {
	begin := 0
	for i := 0; ; {
		at := strings.IndexByte(text[i:], '`')
		if at < 0 {
			return append(cells, text[begin:])
		}
		if i += at + 1; i-2 >= begin && text[i-2] == ',' {
			cells = append(cells, text[begin:i-2])
			begin = i
		}
	}
}

func cut(text string, sep byte) (before, after string, found bool) {
	if i := strings.IndexByte(text, sep); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

// unquote reads a cell behind its opening quote; doubled quotes are one.
func unquote(text string) (cell, rest string, ok bool) {
	i := strings.IndexByte(text, '"')
	if i >= 0 && (i+1 == len(text) || text[i+1] != '"') {
		return text[:i], text[i+1:], true
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			return "", "", false
		}
		b.WriteString(text[:i])
		if i+1 == len(text) || text[i+1] != '"' {
			return b.String(), text[i+1:], true
		}
		b.WriteByte('"')
		text = text[i+2:]
	}
}
