// Package paper judges from a workbook alone how it prints: paper, width, size of the
// print, what every page repeats, and whether each text has the room that it needs.
package paper

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	wide     = 10.99 // inches between the least margins of A4 landscape
	minPoint = 8.0   // the smallest print that people sign
)

// Faults are what would disturb whoever prints a workbook and signs it.
func Faults(f *excelize.File) (out []string) {
	for _, name := range f.GetSheetList() {
		s := &sheet{f: f, name: name}
		s.setup()
		s.width()
		s.cells()
		out = append(out, s.faults...)
	}
	return out
}

type sheet struct {
	f      *excelize.File
	name   string
	last   int // printed columns
	titles int // repeated rows
	scale  float64
	faults []string
}

func (s *sheet) say(format string, a ...any) {
	s.faults = append(s.faults, s.name+": "+fmt.Sprintf(format, a...))
}

// setup reads paper, fit, repeated rows and printed area.
func (s *sheet) setup() {
	layout, err := s.f.GetPageLayout(s.name)
	props, err2 := s.f.GetSheetProps(s.name)
	if err != nil || err2 != nil || *layout.Size != 9 || *layout.Orientation != "landscape" || *layout.FitToWidth != 1 ||
		*layout.FitToHeight != 0 || !*props.FitToPage {
		s.say("not A4 landscape, one page wide")
	}
	for _, n := range s.f.GetDefinedName() {
		if n.Scope != s.name {
			continue
		}
		_, area, _ := strings.Cut(n.RefersTo, "!")
		_, end, _ := strings.Cut(strings.ReplaceAll(area, "$", ""), ":")
		switch n.Name {
		case "_xlnm.Print_Titles":
			s.titles, _ = strconv.Atoi(end)
		case "_xlnm.Print_Area":
			s.last, _, _ = excelize.CellNameToCoordinates(end)
		}
	}
	if s.titles < 2 || s.last < 1 {
		s.say("no repeated title (%d) or printed area (%d)", s.titles, s.last)
	}
	if foot, err := s.f.GetHeaderFooter(s.name); err != nil || !strings.Contains(foot.OddFooter, "第 &P 页 / 共 &N 页") {
		s.say("pages have no numbers")
	}
}

// width adds the columns up: beyond the paper all print becomes smaller.
func (s *sheet) width() {
	total := 0.0
	for i := range s.last {
		w, _ := s.f.GetColWidth(s.name, letters(i+1))
		total += (w*8 + 5) / 96
	}
	if s.scale = min(1, wide/total); s.scale*11 < minPoint {
		s.say("printed in %.1f points", s.scale*11)
	}
}

func letters(n int) string {
	name, _ := excelize.ColumnNumberToName(n)
	return name
}

// cells asks of every printed text whether its cell holds it.
func (s *sheet) cells() {
	merged := map[string]int{}
	list, _ := s.f.GetMergeCells(s.name)
	for _, m := range list {
		c, _, _ := excelize.CellNameToCoordinates(m.GetEndAxis())
		merged[m.GetStartAxis()] = c
	}
	rows, err := s.f.GetRows(s.name)
	if err != nil || len(rows) < s.titles || !strings.HasPrefix(rows[1][0], "编制单位：") || strings.HasPrefix(rows[1][0], "编制单位：　") {
		s.say("the hospital's name is not on every page")
		return
	}
	signed := false
	for i, row := range rows {
		for j, text := range row {
			at := letters(j+1) + strconv.Itoa(i+1)
			if text == "" || j >= s.last {
				continue
			}
			s.cell(at, text, j+1, max(merged[at], j+1), i+1)
			signed = strings.HasPrefix(text, "制表：") && strings.Contains(text, "复核：") && strings.Contains(text, "审核：")
		}
	}
	if !signed {
		s.say("no place to sign at the end")
	}
}

// cell compares the area of a text with that of its cell; a figure must fit into
// one line, or it is shown as ####.
func (s *sheet) cell(at, text string, from, to, row int) {
	room := 0.0
	for c := from; c <= to; c++ {
		w, _ := s.f.GetColWidth(s.name, letters(c))
		room += w * 8
	}
	height, _ := s.f.GetRowHeight(s.name, row)
	units := 0.0
	for _, r := range text {
		if units++; r >= 0x2e80 {
			units++
		}
	}
	need := units * 11 / 2 * 96 / 72 // pixels in one line
	if _, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64); err == nil && s.figure(at) {
		if a := s.style(at).Alignment; need > room && (a == nil || !a.ShrinkToFit || need > room*1.3) {
			s.say("%s: the figure %s is wider than its column", at, text)
		}
		return
	}
	if size := s.size(at); size > 11 {
		need *= size / 11
	}
	if need > room && !s.wraps(at) {
		s.say("%s: %q runs into its neighbours", at, text)
	}
	if lines := float64(int(height / 14)); need > room*lines {
		s.say("%s: %q is cut off, %.0f points high", at, text, height)
	}
}

func (s *sheet) figure(at string) bool {
	kind, _ := s.f.GetCellType(s.name, at)
	return kind != excelize.CellTypeSharedString && kind != excelize.CellTypeInlineString
}

func (s *sheet) style(at string) *excelize.Style {
	id, err := s.f.GetCellStyle(s.name, at)
	if err != nil {
		return &excelize.Style{}
	}
	style, err := s.f.GetStyle(id)
	if err != nil {
		return &excelize.Style{}
	}
	return style
}

func (s *sheet) wraps(at string) bool {
	a := s.style(at).Alignment
	return a != nil && a.WrapText
}

func (s *sheet) size(at string) float64 {
	if font := s.style(at).Font; font != nil {
		return font.Size
	}
	return 11
}
