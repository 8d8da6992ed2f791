package report

import "github.com/xuri/excelize/v2"

// styles are the numbers of the cell styles of a workbook.
type styles struct {
	title, meta, caption, head, note int
	text, long, money, count         int
	total, totalMoney, totalCount    int
}

const (
	moneyFormat = `#,##0.00;-#,##0.00`
	textFormat  = "@"
)

func newStyles(f *excelize.File) (*styles, error) {
	s, add := &styles{}, adder{f: f}
	grid := []excelize.Border{}
	for _, side := range []string{"left", "right", "top", "bottom"} {
		grid = append(grid, excelize.Border{Type: side, Color: "000000", Style: 1})
	}
	song := func(bold bool) *excelize.Font { return &excelize.Font{Family: "宋体", Size: 11, Bold: bold} }
	centre := &excelize.Alignment{Horizontal: "center", Vertical: "center"}
	right := &excelize.Alignment{Horizontal: "right", Vertical: "center"}
	left := &excelize.Alignment{Horizontal: "left", Vertical: "center"}
	grey := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"D9D9D9"}}
	m, t := moneyFormat, textFormat
	s.title = add.style(&excelize.Style{Font: &excelize.Font{Family: "黑体", Size: 16, Bold: true}, Alignment: centre})
	s.meta = add.style(&excelize.Style{Font: song(false), Alignment: centre})
	s.caption = add.style(&excelize.Style{Font: song(true), Alignment: left})
	s.note = add.style(&excelize.Style{Font: song(false), Alignment: left})
	s.head = add.style(&excelize.Style{Font: song(true), Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center",
		WrapText: true}, Border: grid, Fill: grey})
	s.text = add.style(&excelize.Style{Font: song(false), Border: grid, CustomNumFmt: &t, Alignment: left})
	s.long = add.style(&excelize.Style{Font: song(false), Border: grid, CustomNumFmt: &t, Alignment: &excelize.Alignment{Vertical: "center",
		WrapText: true}})
	s.money = add.style(&excelize.Style{Font: song(false), Border: grid, CustomNumFmt: &m, Alignment: right})
	s.count = add.style(&excelize.Style{Font: song(false), Border: grid, NumFmt: 3, Alignment: right})
	s.total = add.style(&excelize.Style{Font: song(true), Border: grid, Alignment: centre})
	s.totalMoney = add.style(&excelize.Style{Font: song(true), Border: grid, CustomNumFmt: &m, Alignment: right})
	s.totalCount = add.style(&excelize.Style{Font: song(true), Border: grid, NumFmt: 3, Alignment: right})
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
	return [...]int{Text: s.text, Money: s.money, Count: s.count, Long: s.long}[t]
}

func (s *styles) totalOf(t Type) int {
	if t == Money {
		return s.totalMoney
	}
	return s.totalCount
}
