package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hospay/store"
)

// Guards looks every two minutes whether triggers, access rules and indexes are
// still those of the program, and whether the audit log goes on from where it
// was. Where the guards are others, payouts stop and people are told; where the
// chain of the log is broken, people are told. That they could not be read, as
// where the database is busy or the program ends, is trouble and says nothing
// about them: the run has failed, and no more follows. The log of the program keeps
// where the audit log ends: kept off the machine, it shows an end that was cut off.
func Guards(st *store.Store, verify func(context.Context) error, log *slog.Logger) Job {
	var last store.AuditState // a job never runs twice at the same time
	return Job{Name: "guards", Every: 2 * time.Minute, Run: func(ctx context.Context) (n int, err error) {
		switch err = verify(ctx); {
		case err == nil:
			err = st.Whole(ctx)
		case store.IsTampering(err):
			var e error
			n, e = st.Tampered(ctx, err)
			err = errors.Join(err, e)
		default:
			err = fmt.Errorf("未能核对数据库的守卫（不等于被篡改，下次再核对）：%w", err)
		}
		state, e := st.VerifyAuditFrom(ctx, last)
		switch {
		case e != nil:
			return n, errors.Join(err, fmt.Errorf("未能核对审计日志（不等于被改动，下次再核对）：%w", e))
		case state.Break != nil:
			return n, errors.Join(err, errors.New(state.Break.String()), st.TellBrokenChain(ctx, *state.Break))
		}
		if state.Seq != last.Seq {
			log.Info("audit.anchor", "where", "log", "seq", state.Seq, "head", state.Head)
		}
		last = state
		return n, err
	}}
}
