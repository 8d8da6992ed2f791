package files

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"hospay/internal/foreign"

	"golang.org/x/net/html"
)

// maxPage is how much of a page or a workbook of one file is read: both are
// held in memory.
const maxPage = 128 << 20

// grid is a table that was read as a whole.
type grid struct {
	name string
	rows [][]string
	at   []int // line of each row
}

func (g *grid) add(n int, rec []string) {
	g.rows, g.at = append(g.rows, rec), append(g.at, n)
}

// each hands the tables of a page on.
func each(grids []*grid, read func(string, func() ([]string, int, error)) error) error {
	for _, g := range grids {
		i := 0
		err := read(g.name, func() ([]string, int, error) {
			if i >= len(g.rows) {
				return nil, 0, io.EOF
			}
			i++
			return g.rows[i-1], g.at[i-1], nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// odsSheets reads the sheets of an OpenDocument workbook.
func (c *container) odsSheets(read func(string, func() ([]string, int, error)) error) error {
	for _, m := range c.zip.File {
		if m.Name != "content.xml" {
			continue
		}
		in, err := m.Open()
		if err != nil {
			return &Refusal{c.file.Name, 0, "压缩包不完整或已损坏"}
		}
		defer in.Close()
		grids, err := odsGrids(newMarkup(bounded(in, c.file.Size)))
		if err != nil {
			return c.markupError(err)
		}
		return each(grids, read)
	}
	return nil
}

func (c *container) markupError(err error) error {
	if errors.Is(err, errMarkup) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &Refusal{c.file.Name, 0, "表格文件不完整或已损坏，请另存为 .xlsx 或 CSV"}
	}
	return err
}

// odsGrids reads rows and cells, which may stand for several equal ones.
func odsGrids(m *markup) (grids []*grid, err error) {
	var g *grid
	var rec []string
	n, times, room := 0, 1, hoard(maxHeld)
	for {
		if err := m.next(); err == io.EOF {
			return grids, nil
		} else if err != nil {
			return nil, err
		}
		switch {
		case m.name == "table" && !m.end:
			name, _ := m.attr("name")
			g = &grid{name: name}
			grids, n = append(grids, g), 0
			if !room.take(4, len(name)) {
				return nil, errMarkup
			}
		case g == nil:
		case m.name == "table-row" && !m.end:
			rec, times = nil, repeated(m, "number-rows-repeated")
			if m.self {
				n += times
			}
		case m.name == "table-row":
			blank := blankRow(rec)
			for range min(times, maxRows-n) {
				if n++; blank {
					continue
				}
				if g.add(n, rec); !room.take(2, 0) {
					return nil, errMarkup
				}
			}
		case (m.name == "table-cell" || m.name == "covered-table-cell") && !m.end:
			times := repeated(m, "number-columns-repeated")
			text, err := odsCell(m)
			if err != nil {
				return nil, err
			}
			more := max(0, min(times, maxColumns-len(rec)))
			for range more {
				rec = append(rec, text)
			}
			if !room.take(more, len(text)) {
				return nil, errMarkup
			}
		}
	}
}

func repeated(m *markup, name string) int {
	if s, ok := m.attr(name); ok {
		if n, err := strconv.Atoi(s); err == nil && n > 0 {
			return n
		}
	}
	return 1
}

func blankRow(rec []string) bool { return trim(strings.Join(rec, "")) == "" }

// odsCell reads a cell by its stored value, else by its text.
func odsCell(m *markup) (string, error) {
	kind, _ := m.attr("value-type")
	value, _ := m.attr("value")
	date, _ := m.attr("date-value")
	var text strings.Builder
	for depth := 0; !m.self || depth > 0; {
		if err := m.next(); err != nil {
			return "", errMarkup
		}
		if m.name == "annotation" && !m.end && !m.self { // a comment beside the cell
			for !(m.name == "annotation" && m.end) {
				if err := m.next(); err != nil {
					return "", errMarkup
				}
			}
			continue
		}
		if err := put(&text, m.text); err != nil {
			return "", err
		}
		if m.name == "table-cell" || m.name == "covered-table-cell" {
			break
		}
		if depth++; depth > 10_000 {
			return "", errMarkup
		}
		m.self = false
	}
	switch kind {
	case "float", "currency", "percentage":
		return stored(value), nil
	case "date":
		return date, nil
	}
	return strings.TrimSpace(text.String()), nil
}

// xmlSheets reads the sheets of Excel's XML of 2003.
func (c *container) xmlSheets(read func(string, func() ([]string, int, error)) error) error {
	text, err := c.wholeText()
	if err != nil {
		return err
	}
	grids, err := xmlGrids(newMarkup(strings.NewReader(text)))
	if err != nil {
		return c.markupError(err)
	}
	return each(grids, read)
}

func xmlGrids(m *markup) (grids []*grid, err error) {
	var g *grid
	var rec []string
	n, kind, room := 0, "", hoard(maxHeld)
	for {
		if room < 0 {
			return nil, errMarkup
		}
		if err := m.next(); err == io.EOF {
			return grids, nil
		} else if err != nil {
			return nil, err
		}
		switch {
		case m.name == "Worksheet" && !m.end:
			name, _ := m.attr("Name")
			g = &grid{name: name}
			grids, n = append(grids, g), 0
			room.take(4, len(name))
		case g == nil:
		case m.name == "Row" && !m.end:
			rec = nil
			if n++; repeated(m, "Index") > n {
				n = min(repeated(m, "Index"), maxRows)
			}
			if m.self {
				continue
			}
		case m.name == "Row":
			if !blankRow(rec) {
				g.add(n, rec)
			}
			room.take(2, 0)
		case m.name == "Cell" && !m.end:
			had := len(rec)
			for at := repeated(m, "Index"); len(rec) < min(at-1, maxColumns); {
				rec = append(rec, "")
			}
			rec = append(rec, "")
			room.take(len(rec)-had, 0)
		case m.name == "Data" && !m.end:
			kind, _ = m.attr("Type")
		case m.name == "Data" && len(rec) > 0:
			rec[len(rec)-1] = strings.TrimSpace(m.text)
			room.take(0, len(m.text))
			if kind == "Number" {
				rec[len(rec)-1] = stored(rec[len(rec)-1])
			}
		}
	}
}

// pageTables reads the tables of an HTML page.
func (c *container) pageTables(read func(string, func() ([]string, int, error)) error) error {
	text, err := c.wholeText()
	if err != nil {
		return err
	}
	grids, err := pageGrids(text)
	if err != nil {
		return c.markupError(err)
	}
	return each(grids, read)
}

// pageGrids reads rows and cells of a page. Tables that only lay others out
// hold no header, and are passed over by who looks for one.
func pageGrids(text string) (grids []*grid, err error) {
	z := html.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(maxMarkup)
	var rec []string
	var cell *strings.Builder
	n, room := 0, hoard(maxHeld)
	endCell := func() {
		if cell != nil {
			room.take(2, cell.Len())
			rec, cell = append(rec, strings.TrimSpace(cell.String())), nil
		}
	}
	endRow := func() {
		endCell()
		if len(grids) > 0 && !blankRow(rec) {
			grids[len(grids)-1].add(n, rec)
			room.take(2, 0)
		}
		rec = nil
	}
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			endRow()
			return grids, nil
		}
		if room < 0 {
			return nil, errMarkup
		}
		if kind == html.TextToken && cell != nil {
			cell.WriteString(html.UnescapeString(string(z.Raw())))
		}
		if kind != html.StartTagToken && kind != html.EndTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, _ := z.TagName()
		switch open := kind != html.EndTagToken; string(name) {
		case "table":
			endRow()
			if open {
				grids, n = append(grids, &grid{name: "表 " + strconv.Itoa(len(grids)+1)}), 0
				room.take(4, 0)
			}
		case "tr":
			if endRow(); open {
				n++
			}
		case "td", "th":
			if endCell(); open && len(rec) < maxColumns {
				cell = &strings.Builder{}
			}
		case "br", "p", "div":
			if cell != nil && cell.Len() > 0 {
				cell.WriteByte(' ')
			}
		}
	}
}

var saysCharset = regexp.MustCompile(`(?i)(?:charset|encoding)\s*=\s*["']?([A-Za-z0-9_-]+)`)

// wholeText reads a page as text: in the charset that it names, where its bytes
// agree.
func (c *container) wholeText() (string, error) {
	data, err := io.ReadAll(io.LimitReader(io.NewSectionReader(c.file.Data, 0, c.file.Size), maxPage+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxPage {
		return "", &Refusal{c.file.Name, 0, "网页或 XML 表格太大，请另存为 .xlsx 或 CSV"}
	}
	if utf8.Valid(data) {
		m := saysCharset.FindSubmatch(data[:min(len(data), 2048)])
		if good, bad := countUTF8(data); m == nil || !strings.HasPrefix(strings.ToLower(string(m[1])), "gb") || good > 0 && bad == 0 {
			return strings.TrimPrefix(string(data), "\ufeff"), nil
		}
	}
	text, _ := foreign.DecodeGB(data) // what is no character spoils its own cell
	return text, nil
}
