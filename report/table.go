package report

import (
	"errors"
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
	if err := w.rows(t, sums); err != nil {
		return err
	}
	return w.totals(t, sums, first)
}

// row is one of a sheet, ready to be written.
type row struct {
	cells  []any
	height float64
}

// batch is how many rows go from who reads to who writes at a time.
const batch = 256

// rows reads the rows of a table while those before are written: both take about as
// long.
func (w *sheetWriter) rows(t Table, sums *sums) error {
	style := func(i int) int { return w.st.of(t.Columns[i].Type) }
	ready, stop, ended := make(chan []row, 4), make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ready)
		defer func() {
			if p := recover(); p != nil { // here nobody else would, and the program would end
				ended <- fmt.Errorf("report: rows: %v", p)
			}
		}()
		some := make([]row, 0, batch)
		send := func() error {
			select {
			case ready <- some:
				some = make([]row, 0, batch)
				return nil
			case <-stop:
				return errStopped
			}
		}
		err := t.Rows(func(cells ...any) error {
			sums.add(cells)
			if some = append(some, w.rowOf(t.Columns, cells, style)); len(some) < batch {
				return nil
			}
			return send()
		})
		if err == nil {
			err = send()
		}
		ended <- err
	}()
	var failed error
	for some := range ready {
		for _, r := range some {
			if failed != nil {
				break
			}
			if failed = w.put(r); failed != nil {
				close(stop)
			}
		}
	}
	if err := <-ended; failed == nil {
		return err
	}
	return failed
}

var errStopped = errors.New("report: nobody writes the rows any more")

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
	return w.put(w.rowOf(columns, cells, style))
}

func (w *sheetWriter) rowOf(columns []Column, cells []any, style func(int) int) row {
	out := make([]any, len(columns))
	for i := range out {
		if i < len(cells) {
			out[i] = cellOf(style(i), cells[i])
		}
	}
	return row{out, w.heightOf(columns, cells)}
}

func (w *sheetWriter) put(r row) error {
	w.row++
	w.fill(r.height)
	return w.SetRow(cellName(1, w.row), r.cells, excelize.RowOpts{Height: r.height})
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
