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

// The types. Numbers of orders and cards are Text: a spreadsheet would round
// 18 digits.
const (
	Text  Type = iota
	Money      // money.Fen, shown in yuan
	Count      // int
	Long       // text that wraps
)

// Column is a column of a table.
type Column struct {
	Name  string
	Type  Type
	Width float64
	Sum   bool   // the 合计 row sums it
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
	st    *styles
	row   int
	width int // columns of the widest table
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
	for _, t := range s.Tables {
		w.width = max(w.width, len(t.Columns))
	}
	if err := w.widths(s.Tables); err != nil {
		return err
	}
	if err := w.heading(s); err != nil {
		return err
	}
	for i, t := range s.Tables {
		if err := w.table(t, i > 0); err != nil {
			return err
		}
	}
	if err := w.foot(s); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return repeatHead(f, s)
}

// pageSetup makes it A4 landscape, one page wide, with page numbers.
func pageSetup(f *excelize.File, sheet, watermark string) error {
	a4, landscape, wide, high, fit := 9, "landscape", 1, 0, true
	if err := f.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}); err != nil {
		return err
	}
	if err := f.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &wide,
		FitToHeight: &high}); err != nil {
		return err
	}
	return f.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: footer(watermark)})
}

// repeatHead repeats the rows above the first line of the first table.
func repeatHead(f *excelize.File, s Sheet) error {
	last := headRow(s)
	return f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$1:$%d", s.Name, last),
		Scope: s.Name})
}

// headRow is the row of the first table's header: title, line, caption, header.
func headRow(s Sheet) int {
	if len(s.Tables) > 0 && s.Tables[0].Caption != "" {
		return 4
	}
	return 3
}

// widths gives every column the widest that any table asks for.
func (w *sheetWriter) widths(tables []Table) error {
	for i := range w.width {
		width := 10.0
		for _, t := range tables {
			if i < len(t.Columns) {
				width = max(width, t.Columns[i].Width)
			}
		}
		if err := w.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	return w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 3, TopLeftCell: "A4", ActivePane: "bottomLeft"})
}

func (w *sheetWriter) heading(s Sheet) error {
	if err := w.spread(w.st.title, s.Title, 28); err != nil {
		return err
	}
	line := "编制单位：" + orBlank(s.Unit) + "　　期间：" + s.Period + "　　单位：元"
	return w.spread(w.st.meta, line, 18)
}

func orBlank(s string) string {
	if s == "" {
		return "＿＿＿＿＿＿"
	}
	return s
}

// spread writes a text over the whole width.
func (w *sheetWriter) spread(style int, text string, height float64) error {
	w.row++
	if err := w.SetRow(cellName(1, w.row), []any{excelize.Cell{StyleID: style, Value: Safe(text)}},
		excelize.RowOpts{Height: height}); err != nil {
		return err
	}
	if w.width < 2 {
		return nil
	}
	return w.MergeCell(cellName(1, w.row), cellName(w.width, w.row))
}

func (w *sheetWriter) foot(s Sheet) error {
	for _, n := range s.Notes {
		if err := w.spread(w.st.note, n, 18); err != nil {
			return err
		}
	}
	w.row++
	return w.spread(w.st.note, "制表：＿＿＿＿＿　　复核：＿＿＿＿＿　　审核：＿＿＿＿＿　　打印时间："+s.Printed, 22)
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
