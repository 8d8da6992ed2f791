package files

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxRows    = 1 << 20 // of a sheet, as Excel has it; a broken one may number its rows beyond all bounds
	maxColumns = 1 << 10 // that we look at
	maxStrings = 16 << 20
	maxHeld    = 128 << 20 // bytes that one file may take in memory at a time
	maxCell    = 1 << 20   // bytes of the text of a cell; Excel has 32,767 characters
)

const brokenXLSX = "XLSX 文件打不开：不完整、已损坏或解压后过大"

// xlsxSheets reads the sheets of a workbook of Excel, those that are shown
// first. Values are taken as they are stored, not as they are shown: dates are
// serial numbers, amounts have all their digits.
func (c *container) xlsxSheets(read func(string, func() ([]string, int, error)) error) error {
	x := &xlsx{container: c, parts: map[string]*zip.File{}}
	for _, m := range c.zip.File {
		x.parts[strings.TrimPrefix(m.Name, "/")] = m
	}
	sheets, err := x.open()
	if err != nil {
		return x.broken(err)
	}
	for _, s := range sheets {
		in, err := x.part(s.part)
		if err != nil {
			return x.broken(err)
		}
		rows := &sheetRows{xlsx: x, markup: newMarkup(in)}
		err = read(s.name, rows.next)
		in.Close()
		if errors.Is(err, errMarkup) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = &Refusal{c.file.Name, rows.n, fmt.Sprintf("工作表“%s”无法识别", s.name)}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// xlsx is an opened workbook.
type xlsx struct {
	*container
	parts   map[string]*zip.File
	strings []string
	shift   float64 // days from 1900's count to 1904's
}

type xlsxSheet struct{ name, part string }

func (x *xlsx) broken(err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		return err
	}
	return &Refusal{x.file.Name, 0, brokenXLSX}
}

// part opens a part of the package, bounded.
func (x *xlsx) part(name string) (io.ReadCloser, error) {
	m := x.parts[name]
	if m == nil {
		return nil, fmt.Errorf("no part %s", name)
	}
	in, err := m.Open()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{bounded(in, x.file.Size), in}, nil
}

// each walks the tags of a part.
func (x *xlsx) each(name string, tag func(*markup) error) error {
	in, err := x.part(name)
	if err != nil {
		return err
	}
	defer in.Close()
	for m := newMarkup(in); ; {
		if err := m.next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := tag(m); err != nil {
			return err
		}
	}
}

// targets are the parts that a part refers to, by id and by the end of their type.
func (x *xlsx) targets(of string) (map[string]string, error) {
	dir, file := path.Split(of)
	out := map[string]string{}
	err := x.each(dir+"_rels/"+file+".rels", func(m *markup) error {
		if m.name != "Relationship" || m.end {
			return nil
		}
		id, _ := m.attr("Id")
		kind, _ := m.attr("Type")
		target, _ := m.attr("Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(dir, target)
		}
		target = strings.TrimPrefix(path.Clean(target), "/")
		out[id], out[path.Base(kind)] = target, target
		return nil
	})
	return out, err
}

// open reads what stands outside of the sheets: their names, shared texts, the
// way of counting days.
func (x *xlsx) open() ([]xlsxSheet, error) {
	root, err := x.targets("")
	if err != nil {
		return nil, err
	}
	book := root["officeDocument"]
	targets, err := x.targets(book)
	if err != nil {
		return nil, err
	}
	var shown, hidden []xlsxSheet
	err = x.each(book, func(m *markup) error {
		if m.end {
			return nil
		}
		switch m.name {
		case "workbookPr":
			if v, _ := m.attr("date1904"); v == "1" || v == "true" {
				x.shift = 1462
			}
		case "sheet":
			name, _ := m.attr("name")
			id, _ := m.attr("id")
			state, _ := m.attr("state")
			if targets[id] == "" || x.parts[targets[id]] == nil {
				return nil
			}
			if state == "" || state == "visible" {
				shown = append(shown, xlsxSheet{name, targets[id]})
			} else {
				hidden = append(hidden, xlsxSheet{name, targets[id]})
			}
		}
		return nil
	})
	if err == nil && targets["sharedStrings"] != "" {
		err = x.readStrings(targets["sharedStrings"])
	}
	if err == nil && len(shown)+len(hidden) == 0 {
		err = &Refusal{x.file.Name, 0, "XLSX 文件里没有工作表"}
	}
	return append(shown, hidden...), err
}

// readStrings reads the shared texts. Readings of characters (rPh) are no text.
func (x *xlsx) readStrings(part string) error {
	var text strings.Builder
	reading, room := false, hoard(maxHeld)
	return x.each(part, func(m *markup) error {
		switch {
		case m.name == "rPh":
			reading = !m.end
		case m.name == "t" && m.end && !reading:
			return put(&text, m.text)
		case m.name == "si" && (m.end || m.self):
			if len(x.strings) >= maxStrings || !room.take(1, text.Len()) {
				return errMarkup
			}
			x.strings = append(x.strings, unhex(text.String()))
			text.Reset()
		}
		return nil
	})
}

// put adds a run to the text of a cell.
func put(text *strings.Builder, run string) error {
	if text.Len()+len(run) > maxCell {
		return errMarkup
	}
	text.WriteString(run)
	return nil
}

// hoard is how many bytes may still be kept of a file.
type hoard int64

// take counts n slices or texts of so many bytes together.
func (h *hoard) take(n, bytes int) bool {
	*h -= hoard(n)*24 + hoard(bytes)
	return *h >= 0
}

// sheetRows reads a sheet row by row.
type sheetRows struct {
	*xlsx
	*markup
	n    int
	done bool
}

// next returns the cells of the next row, by their columns.
func (s *sheetRows) next() ([]string, int, error) {
	for !s.done {
		if err := s.markup.next(); err != nil {
			return nil, s.n, err
		}
		switch {
		case s.name == "row" && !s.end:
			if s.n++; s.n > maxRows {
				return nil, s.n, &Refusal{s.file.Name, 0, "工作表的行号超过 Excel 的上限"}
			}
			if r, ok := s.attr("r"); ok {
				if n, err := strconv.Atoi(r); err == nil && n >= s.n && n <= maxRows {
					s.n = n
				} else if err == nil && n > maxRows {
					return nil, s.n, &Refusal{s.file.Name, 0, "工作表的行号超过 Excel 的上限"}
				}
			}
			if s.self {
				continue
			}
			rec, err := s.row()
			return rec, s.n, err
		case s.name == "sheetData" && (s.end || s.self):
			s.done = true
		}
	}
	return nil, s.n, io.EOF
}

func (s *sheetRows) row() ([]string, error) {
	var rec []string
	for {
		if err := s.markup.next(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		switch {
		case s.name == "row" && s.end:
			return rec, nil
		case s.name != "c" || s.end:
			continue
		}
		at := len(rec)
		if ref, ok := s.attr("r"); ok {
			at = columnOf(ref)
		}
		kind, _ := s.attr("t")
		text := ""
		if !s.self {
			var err error
			if text, err = s.cell(kind); err != nil {
				return nil, err
			}
		}
		if at < 0 || at >= maxColumns {
			continue
		}
		for len(rec) <= at {
			rec = append(rec, "")
		}
		rec[at] = text
	}
}

// cell reads the inside of a cell.
func (s *sheetRows) cell(kind string) (string, error) {
	var text strings.Builder
	value := ""
	formula, has, reading := false, false, false
	for {
		if err := s.markup.next(); err != nil {
			return "", errMarkup
		}
		switch {
		case s.name == "c" && s.end:
			if formula && !has {
				return spoilt + "是公式，没有存下结果，请在 Excel 里打开、保存后再用", nil
			}
			return s.value(kind, value, text.String()), nil
		case s.name == "f":
			formula = true
		case s.name == "v" && s.end:
			value, has = s.text, s.text != ""
		case s.name == "rPh":
			reading = !s.end
		case s.name == "t" && s.end && !reading:
			if err := put(&text, s.text); err != nil {
				return "", err
			}
		}
	}
}

// value is the text of a stored value.
func (s *sheetRows) value(kind, value, text string) string {
	switch kind {
	case "s":
		if i, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && i >= 0 && i < len(s.strings) {
			return s.strings[i]
		}
		return spoilt + "的文字丢失，文件已损坏"
	case "inlineStr":
		return unhex(text)
	case "str", "d":
		return unhex(value)
	case "b":
		return value
	case "e":
		return spoilt + "是错误值 " + clip(value)
	}
	if days, err := strconv.ParseFloat(value, 64); s.shift != 0 && err == nil && days > 30000 && days < 80000 {
		return strconv.FormatFloat(days+s.shift, 'f', -1, 64)
	}
	return stored(value)
}

// columnOf is the column of a cell's name: 0 for A7.
func columnOf(ref string) int {
	n := 0
	for i := range len(ref) {
		c := ref[i] | 0x20
		if c < 'a' || c > 'z' {
			break
		}
		if n = n*26 + int(c-'a') + 1; n > 1<<16 {
			return -1
		}
	}
	return n - 1
}

// unhex turns the _x000D_ of workbooks into characters.
func unhex(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			b.WriteString(s)
			return b.String()
		}
		n, err := strconv.ParseUint(s[i+2:i+6], 16, 32)
		if err != nil || s[i+6] != '_' || !utf8.ValidRune(rune(n)) || n == 0 {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteRune(rune(n))
		s = s[i+7:]
	}
}
