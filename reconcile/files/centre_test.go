package files

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// details reads a result file of 3202.
func details(t *testing.T, data []byte) (lines []CentreLine, rejects []Reject, err error) {
	t.Helper()
	_, err = ReadDetail(File{Name: "x", Data: bytes.NewReader(data), Size: int64(len(data))}, func(l CentreLine) error {
		lines = append(lines, l)
		return nil
	}, func(r Reject) error {
		rejects = append(rejects, r)
		return nil
	})
	return lines, rejects, err
}

// TestReadDetail_AsCentresWriteIt: ten cells or more, tabs or commas, empty cells as
// null, several texts in a zip; what cannot be read is rejected by its line.
func TestReadDetail_AsCentresWriteIt(t *testing.T) {
	good := "P1\tM1\tS1\t\t000103\t0\tnull\t120.00\t70.00\t20.00\nP2\tM2\tS2\tmsg\t2\t1\tx\t-1.00\t-1.00\tnull\tmore"
	lines, rejects, err := details(t, []byte(good+"\nP3\tM3\t\t\t1\t0\t\t1.00\t1.00\t0.00\nshort\t1\n\n"))
	if err != nil || len(lines) != 2 || len(rejects) != 2 || rejects[0].Line != 3 || rejects[1].Line != 4 {
		t.Fatalf("%+v %+v %v", lines, rejects, err)
	}
	if l := lines[0]; l.SetlID != "S1" || l.Rslt != "000103" || l.Memo != "" || l.Back || l.Total != 12000 ||
		l.Fund != 7000 || l.Account != 2000 {
		t.Errorf("%+v", l)
	}
	if l := lines[1]; l.SetlID != "S2" || !l.Back || l.Fund != -100 || l.Account != 0 || l.Memo != "x" {
		t.Errorf("%+v", l)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"a.txt", "b.txt"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(strings.ReplaceAll(good, "\t", ","))); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if lines, rejects, err := details(t, b.Bytes()); err != nil || len(lines) != 4 || len(rejects) > 0 {
		t.Errorf("%+v %+v %v", lines, rejects, err)
	}
	for _, bad := range [][]byte{[]byte("\x00\x01"), []byte("nothing that could be read"), b.Bytes()[:40]} {
		if _, _, err := details(t, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestReadTotals_RoundTrip: what was written down of 3201 is read again, and another
// table is refused.
func TestReadTotals_RoundTrip(t *testing.T) {
	want := CentreTotal{Insutype: "310", Type: "11", Optins: "440100", Count: 2, Total: 12000, Fund: 7000, Account: 2000,
		Rslt: "3", Words: "金额,不一致"}
	var b bytes.Buffer
	if err := WriteTotals(&b, []CentreTotal{want}); err != nil {
		t.Fatal(err)
	}
	all, info, err := ReadTotals(File{Name: "x", Data: bytes.NewReader(b.Bytes()), Size: int64(b.Len())})
	if err != nil || len(all) != 1 || all[0] != want || info.Lines != 1 || info.Sum != 9000 {
		t.Errorf("%+v %+v %v", all, info, err)
	}
	other := []byte("退款单号,金额\nR1,1.00\n")
	if _, _, err := ReadTotals(File{Name: "x", Data: bytes.NewReader(other), Size: int64(len(other))}); err == nil {
		t.Error("another table is taken")
	}
}
