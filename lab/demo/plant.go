package demo

import (
	"context"
	"fmt"
	"net/url"
)

// bookPaths are where the simulated centre compares its books (3201, 3202).
const bookPaths = `{"3201":"/org/local/api/hos/stmt_totals","3202":"/org/local/api/hos/stmt_detail",` +
	`"9101":"/org/local/api/hos/file_upload","9102":"/org/local/api/hos/file_download"}`

// Plant makes the other sides' books say something else than what happened, so that
// the day's books have something to find: what HIS has booked of one payment, and
// what the centre has of one settlement.
func (d *Day) Plant(ctx context.Context, paid string, fen int64, settled string) error {
	if err := post(ctx, d.At.HIS+"/_sim/charge/"+url.PathEscape(paid)+fmt.Sprintf("?cash=%d", fen), nil); err != nil {
		return err
	}
	return post(ctx, d.At.Centre+"/_sim/statement/"+url.PathEscape(settled)+"?absent=true", nil)
}
