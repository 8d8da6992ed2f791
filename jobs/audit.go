package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hospay/notify/trail"
	"hospay/store"
)

// Audit walks the chain of the whole audit log every day, against the ends that
// closed months have kept, and reports the first row that is not as it was
// written.
func Audit(store *store.Store, log *slog.Logger) Job {
	return Job{Name: "audit", At: "40 3 * * *", Run: func(ctx context.Context) (int, error) {
		state, err := store.VerifyAudit(ctx)
		if err != nil {
			return 0, err
		}
		if b := state.Break; b != nil {
			return 0, errors.Join(errors.New(b.String()), store.TellBrokenChain(ctx, *b))
		}
		log.Info("audit.verified", "rows", state.Rows, "seq", state.Seq, "head", state.Head)
		return state.Rows, nil
	}}
}

// Logins writes down every ten minutes how many logins have failed that have no
// row of their own.
func Logins(store *store.Store) Job {
	return Job{Name: "logins", Every: 10 * time.Minute, Run: func(context.Context) (int, error) { return store.CountLogins() }}
}

// Seal seals the files that were kept before files were sealed.
func Seal(store *store.Store) Job {
	return Job{Name: "seal_files", Every: time.Minute, Run: store.SealFiles}
}

// A run sends so many rows to a sink, in batches of so many.
const (
	trailBatch = 200
	trailRun   = 20 * trailBatch
)

// Trail sends new rows of the audit log to the collectors that IT has entered. A
// collector that takes nothing is named, tried again ever more rarely, and keeps
// no other waiting; its rows wait in the log.
func Trail(st *store.Store, now func() time.Time) Job {
	return Job{Name: "audit_trail", Every: 5 * time.Second, Run: func(ctx context.Context) (n int, err error) {
		sinks, err := st.DueSinks(ctx)
		for _, k := range sinks {
			sent, e := send(ctx, st, k, now)
			n += sent
			if e != nil {
				err = errors.Join(err, fmt.Errorf("审计日志外送 %s：%w", k.ID, e))
			}
		}
		return n, err
	}}
}

func send(ctx context.Context, st *store.Store, k store.AuditSink, now func() time.Time) (n int, err error) {
	to, err := trail.New(k.Kind, k.URL, k.Secrets, now)
	if err != nil {
		return 0, errors.Join(err, st.SinkRefused(ctx, k, err.Error()))
	}
	for n < trailRun && ctx.Err() == nil {
		rows, last, err := st.AuditAfter(ctx, k.Sent, trailBatch)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		if err := to.Send(ctx, rows); err != nil {
			return n, errors.Join(err, st.SinkRefused(ctx, k, err.Error()))
		}
		if err := st.SinkTook(ctx, k, last.Seq); err != nil {
			return n, err
		}
		k.Sent, k.Tries, n = last.Seq, 0, n+len(rows)
	}
	return n, nil
}
