package files

import (
	"fmt"
	"io"
	"strconv"

	"hospay/reconcile"

	"github.com/xuri/excelize/v2"
)

const (
	maxXLSX = 2 << 30 // unpacked
	maxRows = 1 << 20 // of a sheet, as Excel has it; a broken one may number its rows beyond all bounds
)

// readXLSX reads the first sheet that has a header. Values are taken as they
// are stored, not as they are shown: dates are serial numbers, amounts have
// all their digits.
func (r *reader) readXLSX(f File, book reconcile.Book) (err error) {
	defer func() { // the library panics on some broken workbooks
		if p := recover(); p != nil {
			err = r.refuse(0, "XLSX 文件已损坏")
		}
	}()
	x, err := excelize.OpenReader(io.NewSectionReader(f.Data, 0, f.Size), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: min(max(freePlain, f.Size*maxRatio), maxXLSX), UnzipXMLSizeLimit: 16 << 20,
	})
	if err != nil {
		return r.refuse(0, "XLSX 文件打不开：不完整、已损坏、有密码或解压后过大")
	}
	defer x.Close()
	sheets := x.GetSheetList()
	for i, sheet := range sheets {
		empty, err := r.sheet(x, sheet, book)
		if !empty || i == len(sheets)-1 {
			return err
		}
	}
	return r.refuse(0, "XLSX 文件里没有工作表")
}

// sheet reads one sheet; empty tells that it holds no record at all.
func (r *reader) sheet(x *excelize.File, sheet string, book reconcile.Book) (empty bool, err error) {
	rows, err := x.Rows(sheet)
	if err != nil {
		return false, r.refuse(0, "工作表“%s”读不懂", sheet)
	}
	defer rows.Close()
	n := 0
	shift := dateShift(x)
	amount, clock := -1, -1
	empty = true
	next := func() ([]string, error) {
		for rows.Next() {
			if n++; n > maxRows {
				return nil, r.refuse(0, "工作表“%s”的行号超过 Excel 的上限", sheet)
			}
			rec, err := rows.Columns()
			if err != nil {
				return nil, r.refuse(n, "工作表“%s”读不懂", sheet)
			}
			if !blank(rec) {
				empty = false
				if amount < 0 {
					amount, clock = findColumns(rec)
				}
				return tidy(rec, amount, clock, shift), nil
			}
		}
		if err := rows.Error(); err != nil {
			return nil, r.refuse(n, "工作表“%s”读不懂", sheet)
		}
		return nil, io.EOF
	}
	err = r.table(book, next, func() int { return n })
	return empty, err
}

func blank(rec []string) bool {
	for _, c := range rec {
		if trim(c) != "" {
			return false
		}
	}
	return true
}

// findColumns finds amount and time, whose stored values need care.
func findColumns(rec []string) (amount, clock int) {
	h := headerOf(rec)
	amount = max(h.col(columnNames[colAmount][0]), h.col(columnNames[colAmount][1]))
	clock = max(h.col(columnNames[colTime][0]), h.col(columnNames[colTime][1]))
	return amount, clock
}

// tidy drops the noise of stored amounts and moves dates of workbooks that
// count from 1904.
func tidy(rec []string, amount, clock int, shift float64) []string {
	if amount >= 0 && amount < len(rec) {
		rec[amount] = unnoise(rec[amount])
	}
	if shift != 0 && clock >= 0 && clock < len(rec) {
		if days, err := strconv.ParseFloat(rec[clock], 64); err == nil {
			rec[clock] = fmt.Sprint(days + shift)
		}
	}
	return rec
}

func dateShift(x *excelize.File) float64 {
	if p, err := x.GetWorkbookProps(); err == nil && p.Date1904 != nil && *p.Date1904 {
		return 1462
	}
	return 0
}
