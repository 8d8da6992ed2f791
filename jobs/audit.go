package jobs

import (
	"context"
	"fmt"
	"log/slog"

	"hospay/store"
)

// Audit walks the chain of the audit log every day and reports the first row
// that is not as it was written. The log keeps the hash of the last row: kept
// off the machine, it shows an end that was cut off.
func Audit(store *store.Store, log *slog.Logger) Job {
	return Job{Name: "audit", At: "40 3 * * *", Run: func(ctx context.Context) (int, error) {
		state, err := store.VerifyAudit(ctx)
		if err != nil {
			return 0, err
		}
		if b := state.Break; b != nil {
			return 0, fmt.Errorf("审计日志第 %d 行不是写入时的样子（%s，%s）", b.Seq, b.Reason, b.ID)
		}
		log.Info("audit.verified", "rows", state.Rows, "head", state.Head)
		return state.Rows, nil
	}}
}
