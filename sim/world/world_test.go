package world_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/sim/world"
)

var day = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestWorld_IsDeterministicAndGrows(t *testing.T) {
	small, big := world.New(7, 20, day), world.New(7, 20, day)
	big.Grow(2000)
	if !reflect.DeepEqual(small.Patients(), big.Patients()[:20]) || !reflect.DeepEqual(small.Card("C0001"), big.Card("C0001")) {
		t.Fatal("growing must not change anybody")
	}
	if p := big.Find("P2000"); p == nil || p.Cards[0] != "C2000" || big.Find(p.Openid) != p || big.Find(p.AlipayLogon) != p ||
		big.Find(p.IDNo) != p {
		t.Fatalf("%+v", p)
	}
	seen := map[string]bool{}
	for _, p := range big.Patients() {
		if seen[p.IDNo] || !checksum(p.IDNo) {
			t.Fatalf("%+v", p)
		}
		seen[p.IDNo] = true
	}
}

func checksum(id string) bool {
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(id[i]-'0') * w
	}
	return len(id) == 18 && id[17] == "10X98765432"[sum%11]
}

func TestWorld_HasTheCasesThatTestsNeed(t *testing.T) {
	w := world.New(1, 20, day)
	old, cash, small, large := 0, 0, 0, 0
	for _, p := range w.Patients() {
		for _, d := range w.Card(p.Cards[0]).Deposits {
			if d.Amount < 1000 || d.Amount > 6_000_000 || !d.PaidAt.Before(day) {
				t.Fatalf("%+v", d)
			}
			if day.Sub(d.PaidAt) > 365*24*time.Hour {
				old++
			}
			if d.Method == world.Cash {
				cash++
			} else if w.Trade(d.Method, d.TransactionID) != d || w.Trade(d.Method, d.OutTradeNo) != d {
				t.Fatalf("%+v", d)
			}
			if d.Amount == 1000 {
				small++
			}
			if d.Amount > 3_000_000 {
				large++
			}
		}
	}
	if old == 0 || cash == 0 || small == 0 || large == 0 {
		t.Fatal(old, cash, small, large)
	}
	if p := w.Find("P0019"); p.AlipayName == p.Name {
		t.Fatal("P0019 has an account of somebody else")
	}
	if len(w.Find("P0001").Cards) != 2 {
		t.Fatal("P0001 has a second card")
	}
}

func TestWorld_CardsHaveAnIssueDate(t *testing.T) {
	young := 0
	w := world.New(1, 40, day)
	for _, p := range w.Patients() {
		for _, no := range p.Cards {
			c := w.Card(no)
			switch age := day.Sub(c.IssuedAt); {
			case age < 7*24*time.Hour && age > 0:
				young++
			case age < 365*24*time.Hour || !c.IssuedAt.Before(c.Deposits[0].PaidAt):
				t.Errorf("%s issued at %s", no, c.IssuedAt)
			}
		}
	}
	if young != 2 {
		t.Error(young)
	}
}

// Two processes that start on one day without a kept first day agree.
func TestWorld_SameDaySameDeposits(t *testing.T) {
	a, b := world.New(1, 5, day), world.New(1, 5, day.Add(10*time.Hour-time.Second)) // 17:00 and 02:59 of the next day at UTC+8
	if reflect.DeepEqual(a.Card("C0001"), b.Card("C0001")) {
		t.Error("the next day in Beijing is another day")
	}
	c := world.New(1, 5, day.Add(6*time.Hour))
	if !reflect.DeepEqual(a.Card("C0001"), c.Card("C0001")) {
		t.Error("hours must not matter")
	}
}

// People have the names that people have: nobody can be told from another by
// the surname alone, and a name alone tells nobody.
func TestWorld_NamesAreThoseOfPeople(t *testing.T) {
	w := world.New(7, 2000, day)
	surnames, names, dots, latin, same := map[string]int{}, map[string]int{}, 0, 0, 0
	for _, p := range w.Patients() {
		surnames[string([]rune(p.Name)[:1])]++
		if names[p.Name]++; names[p.Name] == 2 {
			same++
		}
		switch {
		case strings.Contains(p.Name, "·"):
			dots++
		case strings.Contains(p.Name, " "):
			latin++
		}
		if _, err := simplifiedchinese.GBK.NewEncoder().String(p.Name); err != nil {
			t.Errorf("%s cannot be told in GBK", p.Name)
		}
	}
	if len(surnames) < 60 || dots < 80 || latin < 40 || same == 0 {
		t.Error(len(surnames), dots, latin, same)
	}
	for _, pair := range [][2]string{{"P0001", "P0002"}, {"P0013", "P0007"}, {"P0001", "P0003"}, {"P0011", "P0003"}, {"P0001", "P0008"}} {
		if a, b := []rune(w.Find(pair[0]).Name), []rune(w.Find(pair[1]).Name); a[0] == b[0] {
			t.Errorf("%v have one surname", pair)
		}
	}
	if a, b := w.Find("P0017"), w.Find("P0018"); a.Name != b.Name || a.IDNo == b.IDNo {
		t.Error("P0017 and P0018 are two people of one name")
	}
}
