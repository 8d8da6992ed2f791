package books

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/reconcile"
	"hospay/report"
	"hospay/store"
)

// ReceiptPack are the electronic receipts (电子回单) of a month as one ZIP.
type ReceiptPack struct {
	s           *Service
	institution string
	Rows        []store.MonthReceipt
}

// ReceiptPack reads which receipts a month has and should have.
func (s *Service) ReceiptPack(ctx context.Context, inst, month string) (ReceiptPack, error) {
	of := periodOf("", month)
	if of.From == "" {
		return ReceiptPack{}, flow.NewError(flow.CodeBadRequest, "")
	}
	rows, err := s.Store.MonthReceipts(ctx, inst, of.From, of.To)
	return ReceiptPack{s: s, institution: inst, Rows: rows}, err
}

// receiptState says why a receipt is not in the file.
var receiptState = map[string]string{"none": "还没有向渠道要", "waiting": "等待渠道给出", "generating": "渠道生成中", "failed": "渠道没有给出"}

// Write streams the receipts, one in memory at a time, named by order and day, and
// then the list of all transfers with what is missing and why.
func (r ReceiptPack) Write(ctx context.Context, w io.Writer) error {
	pack := zip.NewWriter(w)
	index := [][]string{{"退款单号", "商户单号", "渠道", "金额", "到账时间", "文件", "缺失原因"}}
	for _, row := range r.Rows {
		at := row.PaidAt.Time().In(calendar.Beijing)
		line := []string{row.OrderNo, row.No, reconcile.ChannelChinese(row.Channel), money.Fen(row.Amount).Yuan(), at.Format(time.DateTime), "",
			""}
		name := at.Format("2006-01-02") + "/" + row.OrderNo + "-" + row.No + ".pdf"
		why, err := r.one(ctx, pack, row, name, at)
		if err != nil {
			return err
		}
		if line[6] = why; why == "" {
			line[5] = name
		}
		index = append(index, line)
	}
	if err := writeIndex(pack, index); err != nil {
		return err
	}
	return pack.Close()
}

// one packs a receipt, or says why it is not there. What cannot be read stops no
// other.
func (r ReceiptPack) one(ctx context.Context, pack *zip.Writer, row store.MonthReceipt, name string, at time.Time) (string, error) {
	if row.State != "ready" {
		why := receiptState[row.State]
		if row.Message != "" {
			why += "：" + row.Message
		}
		return why, ctx.Err()
	}
	pdf, err := r.s.Store.ReceiptFile(ctx, r.institution, row.Receipt)
	if err != nil {
		return "已取到的文件打不开，请信息科查看", ctx.Err()
	}
	out, err := pack.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
	if err == nil {
		_, err = out.Write(pdf)
	}
	if err != nil {
		return "", fmt.Errorf("books: receipts: %w", err)
	}
	return "", nil
}

// Missing counts the transfers whose receipt is not there.
func (r ReceiptPack) Missing() (n int) {
	for _, row := range r.Rows {
		if row.State != "ready" {
			n++
		}
	}
	return n
}

func writeIndex(pack *zip.Writer, rows [][]string) error {
	out, err := pack.Create("目录.csv")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return err
	}
	list := csv.NewWriter(out)
	for _, row := range rows {
		for i := range row {
			if _, err := strconv.ParseFloat(row[i], 64); err != nil {
				row[i] = report.Safe(row[i])
			}
		}
		if err := list.Write(row); err != nil {
			return err
		}
	}
	list.Flush()
	return list.Error()
}
