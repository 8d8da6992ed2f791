package report

import (
	"fmt"
	"strings"

	"hospay/money"

	"github.com/xuri/excelize/v2"
)

// The paper is A4 landscape. A sheet is printed one page wide, so that its columns
// decide how small the print becomes: what a form asks for must leave MinPrint.
const (
	fontSize = 11.0 // points, of the cells
	MinPrint = 8.0  // points, the smallest print that a form may come to

	paperWide, paperHigh       = 297.0, 210.0 // millimetres
	marginLeft, marginRight    = 0.4, 0.3     // inches; the left edge is bound
	marginTop, marginBottom    = 0.4, 0.55    // inches
	inch, pointsInch, pixels   = 25.4, 72.0, 96.0
	unitPixels, paddingPixels  = 8.0, 5.0  // of a column's width, as spreadsheets count it in 宋体 11
	halfPixels                 = 7.5       // of a digit
	lineHeight, rowPadding     = 14.5, 3.5 // points
	titleHeight, metaHeight    = 28.0, 18.0
	noteHeight, captionPadding = 15.0, 4.0
)

// pixelsOf is how wide a column of a width is.
func pixelsOf(width float64) float64 { return width*unitPixels + paddingPixels }

// scaleOf is by how much columns are made smaller to fit the paper, at most 1.
func scaleOf(widths []float64) float64 {
	total := 0.0
	for _, w := range widths {
		total += pixelsOf(w)
	}
	return min(1, (paperWide/inch-marginLeft-marginRight)*pixels/total)
}

// roomOf is how high the rows of a page may be together, in points of the sheet,
// with a twentieth left for programs that draw them a little higher.
func roomOf(scale float64) float64 {
	return (paperHigh/inch - marginTop - marginBottom) * pointsInch / scale * 0.95
}

// linesOf is how many lines a text takes in so many pixels. A Chinese character
// is as wide as two others; a word that does not fit into the rest of a line begins
// the next one.
func linesOf(text string, width float64) int {
	room, lines := max(2, int(width/halfPixels)), 0
	if len(text) <= room && strings.IndexByte(text, '\n') < 0 { // no letter takes more halves than bytes
		return 1
	}
	for part := range strings.SplitSeq(text, "\n") {
		lines++
		used := 0
		for _, word := range wordsOf(part) {
			if used > 0 && used+word > room {
				lines, used = lines+1, 0
			}
			for used += word; used > room; used -= room {
				lines++
			}
		}
	}
	return lines
}

// wordsOf are the widths of what may not be broken, in halves of a Chinese
// character.
func wordsOf(text string) (out []int) {
	run := 0
	for _, r := range text {
		switch {
		case r == '（' || r == '）': // never alone at the edge of a line
			run += 2
		case r >= 0x2e80:
			if run > 0 {
				out, run = append(out, run), 0
			}
			out = append(out, 2)
		case r == ' ' || r == '-':
			out, run = append(out, run+1), 0
		default:
			run++
		}
	}
	if run > 0 {
		out = append(out, run)
	}
	return out
}

// shown is the text of a cell as it is printed.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Safe(v)
	case money.Fen:
		return v.Yuan()
	}
	return fmt.Sprint(v)
}

// pageSetup makes it A4 landscape, one page wide, with page numbers.
func pageSetup(f *excelize.File, sheet, watermark string) error {
	a4, landscape, wide, high, yes, no := 9, "landscape", 1, 0, true, false
	if err := f.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &yes}); err != nil {
		return err
	}
	if err := f.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &wide,
		FitToHeight: &high}); err != nil {
		return err
	}
	left, right, top, bottom, edge := marginLeft, marginRight, marginTop, marginBottom, 0.25
	if err := f.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &left, Right: &right, Top: &top, Bottom: &bottom, Header: &edge,
		Footer: &edge, Horizontally: &yes}); err != nil {
		return err
	}
	return f.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: footer(watermark), ScaleWithDoc: &no})
}

// printed names what is printed and which rows are repeated on every page: title
// and line, and the header where the sheet has one table. With several tables
// the header of the first would stand above the others.
func printed(f *excelize.File, s Sheet, columns, rows int) error {
	if err := f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$1:$%d", s.Name, repeated(s)),
		Scope: s.Name}); err != nil {
		return err
	}
	return f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Area", Scope: s.Name,
		RefersTo: fmt.Sprintf("'%s'!$A$1:%s", s.Name, absolute(columns, rows))})
}

// repeated is the last of the rows that every page repeats.
func repeated(s Sheet) int {
	switch {
	case len(s.Tables) != 1:
		return 2
	case s.Tables[0].Caption != "":
		return 4
	}
	return 3
}

func absolute(col, row int) string {
	name, err := excelize.CoordinatesToCellName(max(col, 1), row, true)
	if err != nil {
		panic(err) // counted here, never read from outside
	}
	return name
}
