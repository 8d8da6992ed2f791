package report

import (
	"fmt"
	"slices"

	"hospay/money"

	"github.com/xuri/excelize/v2"
)

// succeeded is the status whose amounts a column with If sums.
const succeeded = "成功"

// table writes caption, header, rows, 合计 and 大写.
func (w *sheetWriter) table(t Table, apart bool) error {
	if apart {
		if err := w.whole(t); err != nil {
			return err
		}
		w.row++
		w.fill(lineHeight)
	}
	if t.Caption != "" {
		if err := w.spread(w.st.caption, t.Caption, lineHeight+captionPadding); err != nil {
			return err
		}
	}
	if err := w.line(t.Columns, headCells(t), func(i int) int { return w.st.head }); err != nil {
		return err
	}
	sums, first := newSums(t), w.row+1
	err := t.Rows(func(cells ...any) error {
		sums.add(cells)
		return w.line(t.Columns, cells, func(i int) int { return w.st.of(t.Columns[i].Type) })
	})
	if err != nil {
		return err
	}
	return w.totals(t, sums, first)
}

func headCells(t Table) []any {
	head := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = c.Name
	}
	return head
}

// whole keeps a table that is not the first of its sheet on one page, if it fits
// on one.
func (w *sheetWriter) whole(t Table) error {
	height := 2*lineHeight + captionPadding + w.heightOf(t.Columns, headCells(t))
	if t.Total {
		height += 2 * (lineHeight + rowPadding)
	}
	err := t.Rows(func(cells ...any) error {
		height += w.heightOf(t.Columns, cells)
		return nil
	})
	if err != nil {
		return err
	}
	return w.together(height)
}

// line writes a row as high as its texts need. Merged and wrapped cells do not
// grow by themselves everywhere.
func (w *sheetWriter) line(columns []Column, cells []any, style func(int) int) error {
	out := make([]any, len(columns))
	for i := range out {
		if i < len(cells) {
			out[i] = cellOf(style(i), cells[i])
		}
	}
	height := w.heightOf(columns, cells)
	w.row++
	w.fill(height)
	return w.SetRow(cellName(1, w.row), out, excelize.RowOpts{Height: height})
}

// cellOf is a value in a style.
func cellOf(style int, v any) excelize.Cell {
	switch v := v.(type) {
	case money.Fen:
		return excelize.Cell{StyleID: style, Value: yuan(v)}
	case string:
		return excelize.Cell{StyleID: style, Value: Safe(v)}
	}
	return excelize.Cell{StyleID: style, Value: v}
}

// yuan is the number that a spreadsheet stores: it knows no other than floats,
// and prints two decimals of any amount below money.Max as they are.
func yuan(f money.Fen) float64 { return float64(f) / 100 }

// totals writes the 合计 row and compares it with what it must be.
func (w *sheetWriter) totals(t Table, sums *sums, first int) error {
	if err := sums.check(); err != nil {
		return err
	}
	if !t.Total {
		return nil
	}
	cells, last := make([]any, len(t.Columns)), w.row
	for i, c := range t.Columns {
		cells[i] = excelize.Cell{StyleID: w.st.total}
		if !c.Sum {
			continue
		}
		cell := excelize.Cell{StyleID: w.st.totalOf(c.Type), Value: any(int(sums.of[i]))}
		if c.Type == Money {
			cell.Value = yuan(sums.of[i])
		}
		if last >= first {
			cell.Formula = sumFormula(t, i, first, last)
		}
		cells[i] = cell
	}
	cells[0] = excelize.Cell{StyleID: w.st.total, Value: "合计"}
	w.row++
	w.fill(lineHeight + rowPadding)
	if err := w.SetRow(cellName(1, w.row), cells, excelize.RowOpts{Height: lineHeight + rowPadding}); err != nil {
		return err
	}
	if i := columnOf(t, t.Capital); i >= 0 {
		return w.spread(w.st.note, t.Capital+"合计（大写）："+sums.of[i].Capital(), noteHeight)
	}
	return nil
}

func sumFormula(t Table, i, first, last int) string {
	area := cellName(i+1, first) + ":" + cellName(i+1, last)
	if j := columnOf(t, t.Columns[i].If); j >= 0 {
		return fmt.Sprintf("SUMIF(%s:%s,%q,%s)", cellName(j+1, first), cellName(j+1, last), succeeded, area)
	}
	return "SUM(" + area + ")"
}

func columnOf(t Table, name string) int {
	if name == "" {
		return -1
	}
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// sums adds up what the formulas will show.
type sums struct {
	t  Table
	of []money.Fen // fen, or a count
	by []int       // place of the column that decides, -1
}

func newSums(t Table) *sums {
	s := &sums{t: t, of: make([]money.Fen, len(t.Columns)), by: make([]int, len(t.Columns))}
	for i, c := range t.Columns {
		s.by[i] = columnOf(t, c.If)
	}
	return s
}

func (s *sums) add(cells []any) {
	for i := range min(len(cells), len(s.of)) {
		if j := s.by[i]; !s.t.Columns[i].Sum || (j >= 0 && cells[j] != any(succeeded)) {
			continue
		}
		switch v := cells[i].(type) {
		case money.Fen:
			s.of[i] += v
		case int:
			s.of[i] += money.Fen(v)
		}
	}
}

// check compares the totals with those that the caller knows from elsewhere.
func (s *sums) check() error {
	for name, want := range s.t.Check {
		i := columnOf(s.t, name)
		if i < 0 || s.of[i] != want {
			return fmt.Errorf("total of %s is not what it must be (%s)", name, want.Yuan())
		}
	}
	return nil
}
