package files

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"hospay/money"
)

// The forms of what an insurance centre answers.
const (
	FormTotals = "医保对总账结果" // 3201
	FormDetail = "医保对明细结果" // 3202
)

// CentreTotal is what the centre says to the totals of a clearing (3201), with the
// totals that it was asked about.
type CentreTotal struct {
	Insutype, Type, Optins string
	Count                  int
	Total, Fund, Account   money.Fen
	Rslt, Words            string
}

var totalColumns = []string{"险种", "清算类别", "清算经办机构", "笔数", "医疗费总额", "基金支付", "个人账户", "对账结果", "说明"}

// WriteTotals writes totals as the table that ReadTotals reads.
func WriteTotals(w io.Writer, all []CentreTotal) error {
	out := csv.NewWriter(w)
	rows := [][]string{totalColumns}
	for _, t := range all {
		rows = append(rows, []string{t.Insutype, t.Type, t.Optins, strconv.Itoa(t.Count), t.Total.Yuan(), t.Fund.Yuan(), t.Account.Yuan(), t.Rslt,
			t.Words})
	}
	return out.WriteAll(rows)
}

// ReadTotals reads what WriteTotals has written.
func ReadTotals(f File) (all []CentreTotal, info Info, err error) {
	info.Kind = FormTotals
	in := csv.NewReader(io.NewSectionReader(f.Data, 0, f.Size))
	in.FieldsPerRecord = len(totalColumns)
	rows, err := in.ReadAll()
	if err != nil || len(rows) == 0 || strings.Join(rows[0], ",") != strings.Join(totalColumns, ",") {
		return nil, info, &Refusal{File: f.Name, Reason: "不是系统向医保中心对总账的结果"}
	}
	for i, r := range rows[1:] {
		t := CentreTotal{Insutype: r[0], Type: r[1], Optins: r[2], Rslt: r[7], Words: r[8]}
		var errs [4]error
		t.Count, errs[0] = strconv.Atoi(r[3])
		t.Total, errs[1] = total(r[4])
		t.Fund, errs[2] = total(r[5])
		t.Account, errs[3] = total(r[6])
		if err := errors.Join(errs[:]...); err != nil {
			return nil, info, &Refusal{File: f.Name, Line: i + 2, Reason: "笔数或金额无法识别"}
		}
		info.Lines, info.OnDay, info.Sum = info.Lines+1, info.OnDay+1, info.Sum+t.Fund+t.Account
		all = append(all, t)
	}
	return all, info, nil
}

// CentreLine is what the centre says of one settlement (3202).
type CentreLine struct {
	PsnNo, MdtrtID, SetlID, Rslt, Memo string
	Back                               bool
	Total, Fund, Account               money.Fen
}

// maxDetail bounds the text of a detail file once it is unpacked.
const maxDetail = 64 << 20

// ReadDetail reads result files of 3202: a text, or a zip of one or more. A line has
// at least the ten cells psn_no, mdtrt_id, setl_id, msgid, stmt_rslt,
// refd_setl_flag, memo, medfee_sumamt, fund_pay_sumamt, acct_pay; some centres add
// more. What cannot be read is rejected by its line.
func ReadDetail(f File, line func(CentreLine) error, reject func(Reject) error) (Info, error) {
	info := Info{Kind: FormDetail}
	texts, err := detailTexts(f)
	if err != nil {
		return info, err
	}
	for _, text := range texts {
		for i, raw := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
			if strings.TrimSpace(raw) == "" {
				continue
			}
			info.Lines++
			l, why := detailLine(cellsOf(raw))
			if why != "" {
				if info.Rejects++; info.Rejects == 1 {
					info.Reason = "第 " + strconv.Itoa(i+1) + " 行 " + why
				}
				if err := reject(Reject{f.Name, i + 1, why}); err != nil {
					return info, err
				}
				continue
			}
			info.OnDay, info.Sum = info.OnDay+1, info.Sum+l.Fund+l.Account
			if err := line(l); err != nil {
				return info, err
			}
		}
	}
	if info.Lines > 0 && info.Rejects == info.Lines {
		return info, &Refusal{File: f.Name, Reason: "没有一行读得懂，" + info.Reason}
	}
	return info, nil
}

// cellsOf splits a line: tabs are between the cells, commas in some places.
func cellsOf(line string) []string {
	if strings.Contains(line, "\t") {
		return strings.Split(line, "\t")
	}
	return strings.Split(line, ",")
}

// DetailTexts are the texts of a result file of 3202.
func DetailTexts(name string, file []byte) ([]string, error) {
	return detailTexts(File{Name: name, Data: bytes.NewReader(file), Size: int64(len(file))})
}

// detailTexts are the texts of a file.
func detailTexts(f File) ([]string, error) {
	read := func(in io.Reader) (string, error) {
		b, err := io.ReadAll(io.LimitReader(in, maxDetail+1))
		if err == nil && len(b) > maxDetail {
			err = errors.New("解压后过大")
		}
		return strings.TrimPrefix(string(b), "\ufeff"), err
	}
	z, err := zip.NewReader(f.Data, f.Size)
	if err != nil {
		text, err := read(io.NewSectionReader(f.Data, 0, f.Size))
		if err != nil || strings.ContainsRune(text, 0) {
			return nil, &Refusal{File: f.Name, Reason: "不是医保对明细的结果文件（文本或 ZIP）"}
		}
		return []string{text}, nil
	}
	var out []string
	for _, m := range z.File {
		in, err := m.Open()
		if err != nil {
			return nil, &Refusal{File: f.Name, Reason: "压缩包读不出"}
		}
		text, err := read(in)
		in.Close()
		if err != nil {
			return nil, &Refusal{File: f.Name, Reason: "压缩包读不出：" + m.Name}
		}
		out = append(out, text)
	}
	return out, nil
}

// detailLine reads a line; why is empty where it could be read.
func detailLine(c []string) (l CentreLine, why string) {
	for i := range c {
		if c[i] = strings.TrimSpace(c[i]); c[i] == "null" {
			c[i] = ""
		}
	}
	if len(c) < 10 {
		return l, "只有 " + strconv.Itoa(len(c)) + " 格，应有 10 格"
	}
	l = CentreLine{PsnNo: c[0], MdtrtID: c[1], SetlID: c[2], Rslt: c[4], Back: c[5] == "1", Memo: c[6]}
	for _, a := range []struct {
		to   *money.Fen
		text string
	}{{&l.Total, c[7]}, {&l.Fund, c[8]}, {&l.Account, c[9]}} {
		if a.text == "" {
			continue
		}
		var err error
		if *a.to, err = yuan(a.text); err != nil {
			return l, err.Error()
		}
	}
	switch {
	case l.SetlID == "":
		return l, "没有结算号"
	case l.Rslt == "":
		return l, "没有对账结果"
	}
	return l, ""
}
