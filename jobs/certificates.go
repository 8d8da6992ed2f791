package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hospay/internal/checkup"
	"hospay/store"
)

// warnAt are the days before the end of a certificate at which staff are told.
var warnAt = []int{1, 7, 30}

// Certificates warns the staff of a certificate that is about to expire, once
// at 30, 7 and 1 days each. A channel whose configuration is broken is named, and
// stops no other.
func Certificates(store *store.Store, now func() time.Time) Job {
	return Job{Name: "certificates", At: "20 8 * * *", Run: func(ctx context.Context) (int, error) { return warn(ctx, store, now()) }}
}

func warn(ctx context.Context, st *store.Store, now time.Time) (int, error) {
	links, err := st.ActiveChannels(ctx)
	if err != nil {
		return 0, err
	}
	told := 0
	var broken error
	for _, link := range links {
		conn, err := st.Connection(ctx, link.Institution, link.Channel)
		if err != nil {
			broken = errors.Join(broken, fmt.Errorf("机构 %s：%w", link.Institution, err))
			continue
		}
		for _, c := range checkup.Certificates(link.Channel, conn, now) {
			step, due := stepOf(c)
			if !due {
				continue
			}
			fresh, err := st.WarnCertificate(link.Institution, store.ExpiringCertificate{
				Channel: c.Channel, Label: c.Label, ID: c.ID, Expires: *c.Expires, Days: *c.Days, Step: step,
			})
			broken = errors.Join(broken, err)
			if fresh {
				told++
			}
		}
	}
	return told, broken
}

// stepOf returns the warning that a certificate has come to.
func stepOf(c checkup.Certificate) (int, bool) {
	if c.Days == nil {
		return 0, false
	}
	for _, days := range warnAt {
		if *c.Days <= days {
			return days, true
		}
	}
	return 0, false
}
