package money_test

import (
	"errors"
	"testing"

	"hospay/money"

	"pgregory.net/rapid"
)

func TestParse_ReadsYuanAsFen(t *testing.T) {
	for in, want := range map[string]money.Fen{
		"0": 0, "0.01": 1, "12": 1200, "12.3": 1230, "1,234.50": 123450, " ¥1,234,567.89 ": 123456789,
		"-0.05": -5, "￥3.00": 300, "2.500": 250, "10000000000.00": money.Max,
	} {
		got, err := money.Parse(in)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestParse_RefusesWhatIsNoAmount(t *testing.T) {
	for in, want := range map[string]error{
		"": money.ErrSyntax, "abc": money.ErrSyntax, "1.": money.ErrSyntax, ".5": money.ErrSyntax, "1,23": money.ErrSyntax,
		"1,2345.00": money.ErrSyntax, "--1": money.ErrSyntax, "1e3": money.ErrSyntax, "１２": money.ErrSyntax, "+1": money.ErrSyntax,
		"1.001": money.ErrPrecise, "99999999999999999999": money.ErrOverflow, "10000000000.01": money.ErrOverflow,
	} {
		if got, err := money.Parse(in); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %d, %v; want %v", in, got, err, want)
		}
	}
}

func TestPrint(t *testing.T) {
	for _, c := range []struct {
		in                    money.Fen
		yuan, people, capital string
	}{
		{0, "0.00", "¥0.00", "零元整"},
		{5, "0.05", "¥0.05", "伍分"},
		{50, "0.50", "¥0.50", "伍角整"},
		{105, "1.05", "¥1.05", "壹元零伍分"},
		{123450, "1234.50", "¥1,234.50", "壹仟贰佰叁拾肆元伍角整"},
		{1000000, "10000.00", "¥10,000.00", "壹万元整"},
		{10050000, "100500.00", "¥100,500.00", "壹拾万零伍佰元整"},
		{1000100, "10001.00", "¥10,001.00", "壹万零壹元整"},
		{2030400500, "20304005.00", "¥20,304,005.00", "贰仟零叁拾万肆仟零伍元整"},
		{10000000100, "100000001.00", "¥100,000,001.00", "壹亿零壹元整"},
		{-123, "-1.23", "-¥1.23", "负壹元贰角叁分"},
	} {
		if c.in.Yuan() != c.yuan || c.in.String() != c.people || c.in.Capital() != c.capital {
			t.Errorf("%d: %q %q %q; want %q %q %q", c.in, c.in.Yuan(), c.in.String(), c.in.Capital(), c.yuan, c.people, c.capital)
		}
	}
}

func TestParse_ReadsBackWhatWasPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64Range(-int64(money.Max), int64(money.Max)).Draw(t, "fen"))
		for _, s := range []string{f.Yuan(), f.String()} {
			if got, err := money.Parse(s); err != nil || got != f {
				t.Fatalf("Parse(%q) = %d, %v; want %d", s, got, err, f)
			}
		}
	})
}

func TestAdd_StaysInRange(t *testing.T) {
	if _, err := money.Max.Add(1); !errors.Is(err, money.ErrOverflow) {
		t.Fatalf("Max+1: %v", err)
	}
	if got, err := money.Fen(1).Add(2); got != 3 || err != nil {
		t.Fatalf("1+2 = %d, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1,234.50", "-0.05", "¥9", "1e9", "0.001", "12,34"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := money.Parse(s)
		if err != nil {
			return
		}
		if again, err := money.Parse(v.Yuan()); err != nil || again != v {
			t.Fatalf("%q → %d → %q → %d, %v", s, v, v.Yuan(), again, err)
		}
	})
}
