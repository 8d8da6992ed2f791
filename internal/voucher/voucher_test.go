package voucher

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"hospay/money"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

var update = flag.Bool("update", false, "write golden files")

func sample(t testing.TB, name string) Layout {
	t.Helper()
	data, err := Sample(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// day is a month's end with refunds and payments of both channels.
var day = []Move{
	{Day: "2028-02-29", Kind: Refund, Channel: WeChat, Count: 3, Cash: 238_334},
	{Day: "2028-02-29", Kind: Refund, Channel: Alipay, Count: 1, Cash: 5},
	{Day: "2028-02-29", Kind: Payment, Channel: WeChat, Count: 2, Cash: 4_000, Insured: 26_000, Other: 150},
	{Day: "2028-02-29", Kind: Payment, Channel: Alipay, Count: 1, Insured: 9_900},
	{Day: "2028-02-29", Kind: Payback, Channel: WeChat, Count: 1, Cash: 1_000, Insured: 2_500},
	{Day: "2028-03-01", Kind: Refund, Channel: WeChat, Count: 1, Cash: 100},
	{Day: "2028-03-01", Kind: Payment, Channel: WeChat},
}

// TestVoucher_EachDayAndKindIsOneInBalance.
func TestVoucher_EachDayAndKindIsOneInBalance(t *testing.T) {
	for _, how := range []string{"red", "sides"} {
		l := sample(t, "u8")
		l.Reverse = how
		lines, err := l.Lines(day)
		if err != nil {
			t.Fatal(err)
		}
		sums, next := map[int]money.Fen{}, map[int]int{}
		for _, x := range lines {
			sums[x.No] += x.Debit - x.Credit
			if next[x.No]++; x.Line != next[x.No] {
				t.Errorf("%s: line %d of voucher %d comes as %d", how, x.Line, x.No, next[x.No])
			}
			if (x.Debit != 0) == (x.Credit != 0) {
				t.Errorf("%s: %+v has both sides, or none", how, x)
			}
			if red := x.Debit < 0 || x.Credit < 0; red != (how == "red" && x.No == 3) {
				t.Errorf("%s: %+v", how, x)
			}
		}
		if len(sums) != 4 {
			t.Errorf("%s: %d vouchers", how, len(sums))
		}
		for no, sum := range sums {
			if sum != 0 {
				t.Errorf("%s: voucher %d is out of balance by %s", how, no, sum)
			}
		}
	}
}

// TestVoucher_AsUFIDAReadsIt: the text that 用友's 总账工具 takes, in GBK.
func TestVoucher_AsUFIDAReadsIt(t *testing.T) {
	l := sample(t, "u8")
	lines, err := l.Lines(day)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Write(&out, lines, "财务,一\n\"组\""); err != nil {
		t.Fatal(err)
	}
	text, err := simplifiedchinese.GBK.NewDecoder().String(out.String())
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/u8.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(strings.ReplaceAll(text, "\r\n", "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || text != strings.ReplaceAll(string(want), "\n", "\r\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestVoucher_AsKingdeeReadsIt: a sheet with titles, amounts as numbers, codes as texts.
func TestVoucher_AsKingdeeReadsIt(t *testing.T) {
	l := sample(t, "kis")
	lines, err := l.Lines(day)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Write(&out, lines, "欧阳会计"); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Sheet1")
	if err != nil || len(rows) != len(lines)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[1], "|"); got != "2028-02-29|记|1|0|微信退预交金 3 笔|2305|预收账款-预收医疗款|2,383.34|0.00|人民币|1|欧阳会计" {
		t.Error(got)
	}
	for at, want := range map[string]excelize.CellType{"F2": excelize.CellTypeSharedString, "H2": excelize.CellTypeUnset} {
		if kind, err := f.GetCellType("Sheet1", at); err != nil || kind != want {
			t.Errorf("%s is of type %v, want %v, %v", at, kind, want, err)
		}
	}
}

// TestVoucher_OneColumnForBothSides, with quotes where a field needs them.
func TestVoucher_OneColumnForBothSides(t *testing.T) {
	l := sample(t, "u8")
	l.File, l.Encoding, l.FirstLine = "csv", "utf-8", ""
	l.Columns = []Column{{"日", "{year}-{month}-{day} {word}{no}-{line}"}, {"科目", "{code},{account}"}, {"方向", "{direction}"},
		{"金额", "{amount}"}}
	lines, err := l.Lines(day[:1])
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Write(&out, lines, ""); err != nil {
		t.Fatal(err)
	}
	want := "2028-2-29 记1-1,\"2305,预收账款-预收医疗款\",借,2383.34\r\n2028-2-29 记1-2,\"102101,其他货币资金-微信\",贷,2383.34\r\n"
	if out.String() != want {
		t.Error(out.String())
	}
}

// TestLayout_SaysWhatIsWrong in words for whoever wrote it.
func TestLayout_SaysWhatIsWrong(t *testing.T) {
	good, err := Sample("u8")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`"txt"`, `"doc"`, "file 应为"}, {`"gbk"`, `"big5"`, "encoding 应为"}, {`"red"`, `"blue"`, "reverse 应为"}, {`"记"`, `" "`, "凭证字"},
		{`"code": "2305"`, `"code": ""`, "accounts.deposit"}, {`"deposit"`, `"deposits"`, "accounts.deposit"},
		{`{channel}退预交金`, `{patient}退预交金`, "summaries.refund"}, {`{code}`, `科目`, "科目编码 {code}"}, {`{credit}`, `0`, "没有借贷金额"},
		{`{person}`, `{nobody}`, "第 12 列 制单人：不认识 {nobody}"}, {`"header"`, `"head"`, "不认识的项"}, {`{`, `[`, "JSON"},
	} {
		_, err := Parse(bytes.Replace(good, []byte(c.from), []byte(c.to), 1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s → %s: %v, want %q", c.from, c.to, err, c.want)
		}
	}
}

// FuzzLayout: whatever is taken as a layout can be written with.
func FuzzLayout(f *testing.F) {
	for _, name := range []string{"u8", "kis"} {
		data, err := Sample(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse(data)
		if err != nil {
			return
		}
		lines, err := l.Lines(day)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(&bytes.Buffer{}, lines, "财务"); err != nil {
			t.Fatalf("%v of %s", err, data)
		}
	})
}
