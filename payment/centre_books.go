package payment

import (
	"context"

	"hospay/money"
)

// Clearing is what settlements are added up by: 险种, 清算类别, 清算经办机构.
type Clearing struct {
	Insutype string `json:"insutype"`
	Type     string `json:"clr_type"`
	Optins   string `json:"clr_optins"`
}

// Totals are the settlements of a business day as the hospital adds them up (3201).
type Totals struct {
	Clearing // of 3202 without the insurance
	Day      string
	Count    int
	Total    money.Fen
	Fund     money.Fen
	Account  money.Fen
	Cash     money.Fen
}

// Add takes a settlement, or one that went back, into the totals.
func (t *Totals) Add(s SettledLine) {
	t.Count++
	sign := money.Fen(1)
	if s.Back {
		sign = -1
	}
	t.Total, t.Fund, t.Account, t.Cash = t.Total+sign*s.Total, t.Fund+sign*s.Fund, t.Account+sign*s.Account, t.Cash+sign*s.Cash
}

// SettledLine is a settlement of a day, or one that went back on it.
type SettledLine struct {
	Clearing
	No      string // of the order
	SetlID  string
	MdtrtID string
	PsnNo   string
	Total   money.Fen
	Fund    money.Fen
	Account money.Fen
	Cash    money.Fen
	Back    bool
}

// Compared is what the centre says to totals. Rslt is its code: by its last digit 0
// is the same; anything else is not.
type Compared struct {
	Result
	Rslt  string
	Words string
}

// Agrees reports whether a code of the centre says that the books agree. Codes have
// one digit or six; the last one tells (1 the centre has more, 2 the hospital, 3
// the data differ).
func Agrees(rslt string) bool { return LastDigit(rslt) == '0' }

// LastDigit is the last digit of a code, 0xff where there is none.
func LastDigit(rslt string) byte {
	if n := len(rslt); n > 0 && rslt[n-1] >= '0' && rslt[n-1] <= '9' {
		return rslt[n-1]
	}
	return 0xff
}

// BookHabits are what a region decides about its books.
type BookHabits struct {
	Totals      bool // 3201 is offered
	Detail      bool // 3202 is offered
	WithRefunds bool // totals are less what went back
	Type        string
	Optins      string
}

// CentreBooks is the port to a centre's books. Nothing moves by it.
type CentreBooks interface {
	BookHabits() BookHabits
	// Totals asks whether the centre has the same totals (3201).
	Totals(context.Context, Totals) Compared
	// Detail gives the lines of totals that differ, and returns the file in which the
	// centre says of each how it stands (9101, 3202, 9102).
	Detail(context.Context, Totals, []SettledLine) (file []byte, r Result)
}
