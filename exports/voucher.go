package exports

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/internal/voucher"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Codes of vouchers.
const (
	CodeNoLayout  flow.Code = "voucher_layout_missing"
	CodeBadLayout flow.Code = "voucher_layout_invalid" // with what is wrong with it
	CodeNoMoves   flow.Code = "voucher_empty"
)

// mostVoucherDays bounds a file of vouchers.
const mostVoucherDays = 366

// VoucherFile is a file for finance software.
type VoucherFile struct {
	Name, Type string
	Data       []byte
	Lines      int
}

// Vouchers writes what moved on the days of a period, both counted, for the finance
// software of an institution: of refunds, payments, or both.
func Vouchers(ctx context.Context, s *store.Store, inst *core.Record, r Request) (VoucherFile, error) {
	from, to, of := r.Params.Get("from"), r.Params.Get("to"), r.Params.Get("of")
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	whole := err == nil && err2 == nil && !b.Before(a) && b.Sub(a) < mostVoucherDays*24*time.Hour
	if !whole || !slices.Contains([]string{"", "refunds", "payments"}, of) {
		return VoucherFile{}, ErrUnknown
	}
	var raw json.RawMessage
	if err := inst.UnmarshalJSONField("voucher_layout", &raw); err != nil || len(raw) == 0 || string(raw) == "null" {
		return VoucherFile{}, flow.NewError(CodeNoLayout, "")
	}
	layout, err := voucher.Parse(raw)
	if err != nil {
		return VoucherFile{}, flow.NewError(CodeBadLayout, err.Error())
	}
	moves, err := s.Moves(ctx, inst.Id, from, to, of)
	if err != nil {
		return VoucherFile{}, err
	}
	lines, err := layout.Lines(moves)
	if err != nil {
		return VoucherFile{}, err
	}
	if len(lines) == 0 {
		return VoucherFile{}, flow.NewError(CodeNoMoves, "")
	}
	var out bytes.Buffer
	if err := layout.Write(&out, lines, r.Person); err != nil {
		return VoucherFile{}, err
	}
	name := "记账凭证-" + strings.ReplaceAll(from, "-", "")
	if to != from {
		name += "-" + strings.ReplaceAll(to, "-", "")
	}
	name += "-" + r.At.In(calendar.Beijing).Format("150405") + "." + layout.File
	return VoucherFile{Name: name, Type: voucherTypes[layout.File], Data: out.Bytes(), Lines: len(lines)}, nil
}

var voucherTypes = map[string]string{"csv": "text/csv", "txt": "text/plain",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
