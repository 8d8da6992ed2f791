package report

import "github.com/xuri/excelize/v2"

// styles are the numbers of the cell styles of a workbook.
type styles struct {
	title, meta, caption, head, note int
	text, money, count               int
	total, totalMoney, totalCount    int
}

const (
	moneyFormat = `#,##0.00;-#,##0.00`
	textFormat  = "@"
	song        = "宋体"
)

func newStyles(f *excelize.File) (*styles, error) {
	s, add := &styles{}, adder{f: f}
	grid := []excelize.Border{}
	for _, side := range []string{"left", "right", "top", "bottom"} {
		grid = append(grid, excelize.Border{Type: side, Color: "000000", Style: 1})
	}
	plain := func(bold bool) *excelize.Font { return &excelize.Font{Family: song, Size: fontSize, Bold: bold} }
	centre := &excelize.Alignment{Horizontal: "center", Vertical: "center"}
	right := &excelize.Alignment{Horizontal: "right", Vertical: "center", ShrinkToFit: true} // smaller rather than ####
	left := &excelize.Alignment{Horizontal: "left", Vertical: "center", WrapText: true}
	grey := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"D9D9D9"}}
	m, t := moneyFormat, textFormat
	s.title = add.style(&excelize.Style{Font: &excelize.Font{Family: "黑体", Size: 16, Bold: true}, Alignment: centre})
	s.meta = add.style(&excelize.Style{Font: plain(false), Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center",
		WrapText: true}})
	s.caption = add.style(&excelize.Style{Font: plain(true), Alignment: left})
	s.note = add.style(&excelize.Style{Font: plain(false), Alignment: left})
	s.head = add.style(&excelize.Style{Font: plain(true), Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center",
		WrapText: true}, Border: grid, Fill: grey})
	s.text = add.style(&excelize.Style{Font: plain(false), Border: grid, CustomNumFmt: &t, Alignment: left})
	s.money = add.style(&excelize.Style{Font: plain(false), Border: grid, CustomNumFmt: &m, Alignment: right})
	s.count = add.style(&excelize.Style{Font: plain(false), Border: grid, NumFmt: 3, Alignment: right})
	s.total = add.style(&excelize.Style{Font: plain(true), Border: grid, Alignment: centre})
	s.totalMoney = add.style(&excelize.Style{Font: plain(true), Border: grid, CustomNumFmt: &m, Alignment: right})
	s.totalCount = add.style(&excelize.Style{Font: plain(true), Border: grid, NumFmt: 3, Alignment: right})
	return s, add.err
}

// adder remembers the first error of many styles.
type adder struct {
	f   *excelize.File
	err error
}

func (a *adder) style(s *excelize.Style) int {
	n, err := a.f.NewStyle(s)
	if a.err == nil {
		a.err = err
	}
	return n
}

func (s *styles) of(t Type) int {
	return [...]int{Text: s.text, Money: s.money, Count: s.count}[t]
}

func (s *styles) totalOf(t Type) int {
	if t == Money {
		return s.totalMoney
	}
	return s.totalCount
}
