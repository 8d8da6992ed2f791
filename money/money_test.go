package money_test

import (
	"errors"
	"math"
	"strconv"
	"testing"

	"hospay/money"

	"pgregory.net/rapid"
)

func TestParse_ReadsYuanAsFen(t *testing.T) {
	for in, want := range map[string]money.Fen{
		"0": 0, "0.01": 1, "12": 1200, "12.3": 1230, "1,234.50": 123450, " ¥1,234,567.89 ": 123456789,
		"-0.05": -5, "￥3.00": 300, "2.500": 250, "10000000000.00": money.Max,
		// databases
		".85": 85, "-.5": -50, ".50": 50, "100.0000": 10000, "0012.50": 1250, "100.00-": -10000,
		// binary fractions
		"10000.000000000002": 1000000, "29.990000000000002": 2999, "29.989999999999998": 2999, "-29.989999999999998": -2999,
		"99.9999999999986":   10000,
		"1234567890.1000001": 123456789010, "0.30000000000000004": 30, "1.8189894035458565E-12": 0, "0.0099999999999999": 1,
		// Java and spreadsheets
		"1.0E7": 1000000000, "1.23456789E7": 1234567890, "1E2": 10000, "1.5e-1": 15, "1E+02": 10000,
		// people
		"+1": 100, "(100.00)": -10000, "（100.00）": -10000, "100.00元": 10000, "¥-5": -500, "-¥5.00元": -500, "RMB 5.00": 500, "5.00 CNY": 500,
		"人民币5元": 500,
		"１２":    1200, "１，２３４．５０": 123450, "－１.00": -100, "−1.00": -100, "1\u00a0": 100, "1,00.00": 10000, "1,2345.00": 1234500,
	} {
		got, err := money.Parse(in)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestParse_RefusesWhatIsNoAmount(t *testing.T) {
	for in, want := range map[string]error{
		"": money.ErrSyntax, "abc": money.ErrSyntax, "1.": money.ErrSyntax, ".": money.ErrSyntax, "1,23": money.ErrSyntax,
		"1,,2.00": money.ErrSyntax,
		"1,2345":  money.ErrSyntax, "--1": money.ErrSyntax, "-1-": money.ErrSyntax, "(-1)": money.ErrSyntax, "()": money.ErrSyntax,
		"¥": money.ErrSyntax, "元": money.ErrSyntax, "¥¥1": money.ErrSyntax,
		"1万元": money.ErrSyntax, "1 2": money.ErrSyntax, "1.2.3": money.ErrSyntax, "0x10": money.ErrSyntax, "1e": money.ErrSyntax,
		"1e99": money.ErrSyntax,
		"NaN":  money.ErrSyntax, "壹佰": money.ErrSyntax, "1_000": money.ErrSyntax, "1E2E3": money.ErrSyntax,
		"1.001": money.ErrPrecise, "1.005": money.ErrPrecise, "0.00001": money.ErrPrecise, "29.9900001": money.ErrPrecise,
		"29.994999999999997": money.ErrPrecise, "1E-3": money.ErrPrecise,
		"99999999999999999999": money.ErrOverflow, "10000000000.01": money.ErrOverflow, "1E15": money.ErrOverflow,
	} {
		if got, err := money.Parse(in); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %d, %v; want %v", in, got, err, want)
		}
	}
}

// Whatever a program prints of an amount that it holds as a double is that amount.
func TestParse_ReadsDoublesAsTheyAreMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fen := money.Fen(rapid.Int64Range(1, 100_000_000_000).Draw(t, "fen"))
		double := float64(fen) / 100
		for _, f := range []float64{double, math.Nextafter(double, 1e12), math.Nextafter(double, 0)} {
			for _, s := range []string{strconv.FormatFloat(f, 'f', -1, 64), strconv.FormatFloat(f, 'E', -1, 64),
				strconv.FormatFloat(f, 'f', 17, 64)} {
				if got, err := money.Parse(s); err != nil || got != fen {
					t.Fatalf("Parse(%q) = %d, %v; want %d", s, got, err, fen)
				}
			}
		}
	})
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
	for _, s := range []string{"1,234.50", "-0.05", "¥9", "1e9", "0.001", "12,34", ".85", "(1.00)", "29.990000000000002", "1.0E7", "１２元",
		"1,00.00-"} {
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
