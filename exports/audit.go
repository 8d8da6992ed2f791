package exports

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"hospay/report"
	"hospay/store"

	"github.com/pocketbase/pocketbase/tools/types"
)

// auditBatch is how many rows of the audit log are read at a time.
const auditBatch = 2000

// auditColumns are the columns of the audit log as a workbook.
var auditColumns = []report.Column{
	{Name: "序号", Type: report.Count, Width: 8}, {Name: "时间", Width: 10.5}, {Name: "经手人", Width: 10.5}, {Name: "操作", Width: 17.5},
	{Name: "对象", Width: 16}, {Name: "单号", Width: 19}, {Name: "内容", Width: 61}, {Name: "来源地址", Width: 14},
	{Name: "改前指纹", Width: 59.5, Aside: true}, {Name: "改后指纹", Width: 59.5, Aside: true}, {Name: "校验值", Width: 59.5, Aside: true},
}

// audit writes the audit log of the institution, newest first.
func (m *maker) audit() error {
	f, err := store.ParseAuditFilter(m.Params, m.Institution)
	if err != nil {
		return err
	}
	n, last, err := m.store.AuditCount(m.ctx, f)
	if err != nil {
		return err
	}
	if err := m.begin(n); err != nil {
		return err
	}
	table := report.Table{Columns: auditColumns}
	table.Rows = func(yield func(...any) error) error {
		return eachAudit(m.ctx, m.store, f, last, func(l store.AuditLine) error {
			m.row()
			return yield(int(l.Seq), moment(l.Created.Time()), or(l.ActorName, l.Actor), l.Action, l.Target, l.OrderNo, string(l.Details),
				l.Address, l.Before, l.After, l.Hash)
		})
	}
	return report.Write(m.out, m.sheet("审计日志", "审计日志", period(f.From, f.To), table, m.filterWords()))
}

// eachAudit reads the rows of a filter from a number downwards.
func eachAudit(ctx context.Context, st *store.Store, f store.AuditFilter, last int64, each func(store.AuditLine) error) error {
	for next := last; ; {
		lines, err := st.AuditUpTo(ctx, f, next, auditBatch)
		if err != nil || len(lines) == 0 {
			return err
		}
		for _, l := range lines {
			if err := each(l); err != nil {
				return err
			}
		}
		next = lines[len(lines)-1].Seq - 1
	}
}

// AuditCSV writes the rows of a filter as CSV, newest first, with what their
// hashes cover. Times are as the hashes have them. It holds a batch of rows at a
// time, however many there are.
func AuditCSV(ctx context.Context, st *store.Store, f store.AuditFilter, last int64, w io.Writer) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	if _, err := buf.WriteString("\ufeff"); err != nil { // for spreadsheets
		return err
	}
	out := csv.NewWriter(buf)
	out.UseCRLF = true
	head := strings.Split("序号 时间 经手人类别 经手人 姓名 操作 对象 单号 改前指纹 改后指纹 内容 来源地址 前一行校验值 校验值 密钥", " ")
	err := out.Write(head)
	if err == nil {
		err = eachAudit(ctx, st, f, last, func(l store.AuditLine) error { return out.Write(auditCells(l)) })
	}
	out.Flush()
	return errors.Join(err, out.Error(), buf.Flush())
}

func auditCells(l store.AuditLine) []string {
	cells := []string{strconv.FormatInt(l.Seq, 10), l.Created.Time().UTC().Format(types.DefaultDateLayout), l.ActorKind, l.Actor, l.ActorName,
		l.Action, l.Target, l.OrderNo, l.Before, l.After, string(l.Details), l.Address, l.PrevHash, l.Hash, l.Key}
	for i, c := range cells {
		cells[i] = report.Safe(c)
	}
	return cells
}
