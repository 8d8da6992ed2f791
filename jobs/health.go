package jobs

import (
	"context"
	"time"

	"hospay/internal/checkup"
	"hospay/store"
)

// pingTimeout bounds one HIS ping.
const pingTimeout = 8 * time.Second

// Health asks every institution's HIS each minute whether it answers. What it
// finds is what people see; orders find out for themselves.
func Health(store *store.Store, health *checkup.Health, now func() time.Time) Job {
	return Job{Name: "his_ping", Every: time.Minute, Run: func(ctx context.Context) (int, error) {
		houses, err := store.WithHIS(ctx)
		if err != nil {
			return 0, err
		}
		for _, id := range houses {
			start := now()
			err := ping(ctx, store, id)
			health.Note(id, now(), now().Sub(start), err)
		}
		return 0, nil
	}}
}

func ping(ctx context.Context, store *store.Store, institution string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	his, traits, err := store.HIS(ctx, institution)
	if err != nil {
		return err
	}
	return checkup.Ping(ctx, his, traits)
}
