// Package report writes what people print and file: XLSX forms in the manner
// of hospital finance (centred title, 编制单位 and 期间 above, grid, 合计,
// 大写, 制表 复核 审核 below, A4 landscape), and the detail files beside them.
// It knows plain structs only. Sheets are written as a stream, so that their
// length does not matter.
package report

import (
	"fmt"
	"io"
	"strings"

	"hospay/money"

	"github.com/xuri/excelize/v2"
)

// Type is what a column holds.
type Type int

// The types. Numbers of orders and cards are Text, which wraps: a spreadsheet
// would round 18 digits.
const (
	Text  Type = iota
	Money      // money.Fen, shown in yuan
	Count      // int
)

// Column is a column of a table.
type Column struct {
	Name  string
	Type  Type
	Width float64
	Sum   bool   // the 合计 row sums it
	Aside bool   // on the screen, beside the printed columns; only at the end
	If    string // sum only rows whose column of this name reads 成功
}

// Table is a grid with a header. Rows yields cells of string, int or
// money.Fen; nil is an empty cell.
type Table struct {
	Caption string // above the header; may be empty
	Columns []Column
	Rows    func(yield func(cells ...any) error) error
	Total   bool                 // a 合计 row with SUM formulas
	Capital string               // name of the column whose total is written in capitals (大写)
	Check   map[string]money.Fen // what the totals must be
}

// Sheet is a form on a sheet of its own.
type Sheet struct {
	Name, Title string
	Unit        string // 编制单位
	Period      string // 期间
	Printed     string // 打印时间
	Watermark   string // in the footer: who exported it, and when
	Tables      []Table
	Notes       []string
}

// Write writes the workbook.
func Write(w io.Writer, sheets ...Sheet) error {
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetDefaultFont(song); err != nil { // widths are counted in its digits
		return fmt.Errorf("report: font: %w", err)
	}
	st, err := newStyles(f)
	if err != nil {
		return fmt.Errorf("report: styles: %w", err)
	}
	for i, s := range sheets {
		if i == 0 {
			err = f.SetSheetName("Sheet1", s.Name)
		} else {
			_, err = f.NewSheet(s.Name)
		}
		if err != nil {
			return fmt.Errorf("report: sheet %s: %w", s.Name, err)
		}
		if err := writeSheet(f, st, s); err != nil {
			return fmt.Errorf("report: sheet %s: %w", s.Name, err)
		}
	}
	return finish(f, w)
}

// sheetWriter writes the rows of a sheet one below the other.
type sheetWriter struct {
	*excelize.StreamWriter
	st     *styles
	row    int
	width  int       // printed columns of the widest table
	widths []float64 // of all columns
	room   float64   // height of a page, in points of the sheet
	used   float64   // of this page
	above  float64   // what every page repeats
}

func writeSheet(f *excelize.File, st *styles, s Sheet) error {
	if err := pageSetup(f, s.Name, s.Watermark); err != nil {
		return err
	}
	stream, err := f.NewStreamWriter(s.Name)
	if err != nil {
		return err
	}
	w := &sheetWriter{StreamWriter: stream, st: st}
	if err := w.columns(s); err != nil {
		return err
	}
	if err := w.heading(s); err != nil {
		return err
	}
	for i, t := range s.Tables {
		if err := w.table(t, i > 0); err != nil {
			return err
		}
		if i == 0 && len(s.Tables) == 1 {
			w.above += w.heightOf(t.Columns, headCells(t))
		}
	}
	if err := w.foot(s); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printed(f, s, w.width, w.row)
}

// columns gives every column the widest that any table asks for.
func (w *sheetWriter) columns(s Sheet) error {
	for _, t := range s.Tables {
		for i, c := range t.Columns {
			if i == len(w.widths) {
				w.widths = append(w.widths, 10)
			}
			w.widths[i] = max(w.widths[i], c.Width)
			if c.Width > 0 && len(s.Tables) == 1 {
				w.widths[i] = c.Width
			}
			if !c.Aside {
				w.width = max(w.width, i+1)
			}
		}
	}
	if len(w.widths) == 0 {
		w.widths, w.width = []float64{100}, 1
	}
	for i, width := range w.widths {
		if err := w.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	w.room = roomOf(scaleOf(w.widths[:w.width]))
	last := repeated(s)
	return w.SetPanes(&excelize.Panes{Freeze: true, YSplit: last, TopLeftCell: cellName(1, last+1), ActivePane: "bottomLeft"})
}

func (w *sheetWriter) heading(s Sheet) error {
	if err := w.spread(w.st.title, s.Title, titleHeight); err != nil {
		return err
	}
	line := "编制单位：" + orBlank(s.Unit) + "　　期间：" + s.Period + "　　单位：元"
	if err := w.spread(w.st.meta, line, metaHeight); err != nil {
		return err
	}
	w.above = w.used
	return nil
}

func orBlank(s string) string {
	if s == "" {
		return "＿＿＿＿＿＿"
	}
	return s
}

// spread writes a text over the printed width, as high as its lines need.
func (w *sheetWriter) spread(style int, text string, least float64) error {
	w.row++
	height := w.spreadHeight(text, least)
	w.fill(height)
	if err := w.SetRow(cellName(1, w.row), []any{excelize.Cell{StyleID: style, Value: Safe(text)}},
		excelize.RowOpts{Height: height}); err != nil {
		return err
	}
	if w.width < 2 {
		return nil
	}
	return w.MergeCell(cellName(1, w.row), cellName(w.width, w.row))
}

func (w *sheetWriter) spreadHeight(text string, least float64) float64 {
	wide := 0.0
	for _, c := range w.widths[:w.width] {
		wide += c * unitPixels
	}
	return max(least, float64(linesOf(text, wide*0.96))*lineHeight+rowPadding)
}

// heightOf is how high a row of a table must be for all of its texts.
func (w *sheetWriter) heightOf(columns []Column, cells []any) float64 {
	lines := 1
	for i, v := range cells {
		if i < w.width && i < len(columns) && v != nil {
			lines = max(lines, linesOf(shown(v), w.widths[i]*unitPixels))
		}
	}
	return float64(lines)*lineHeight + rowPadding
}

// fill counts a row that is about to be written: what no longer fits begins a page
// of its own.
func (w *sheetWriter) fill(height float64) {
	if w.used += height; w.used > w.room {
		w.used = w.above + height
	}
}

// together begins a new page where so much would be torn apart by its end.
func (w *sheetWriter) together(height float64) error {
	if w.used+height <= w.room || w.above+height > w.room {
		return nil
	}
	w.used = w.above
	return w.InsertPageBreak(cellName(1, w.row+1))
}

// signatures stand below every form.
const signatures = "制表：＿＿＿＿＿　　复核：＿＿＿＿＿　　审核：＿＿＿＿＿　　打印时间："

// foot writes the notes and where people sign, all on one page.
func (w *sheetWriter) foot(s Sheet) error {
	height := lineHeight + 22
	for _, n := range s.Notes {
		height += w.spreadHeight(n, noteHeight)
	}
	if err := w.together(height); err != nil {
		return err
	}
	for _, n := range s.Notes {
		if err := w.spread(w.st.note, n, noteHeight); err != nil {
			return err
		}
	}
	w.row++
	w.fill(lineHeight)
	return w.spread(w.st.note, signatures+s.Printed, 22)
}

func cellName(col, row int) string {
	name, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		panic(err) // columns are counted here, never read from outside
	}
	return name
}

// Safe keeps a spreadsheet from taking a foreign text for a formula: what
// begins with = + - @ or a control character gets an apostrophe before it.
func Safe(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
