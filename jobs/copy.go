package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hospay/store"
)

// copyBatch is how many orders of a restored copy are asked for in a run.
const copyBatch = 200

// Copy asks the other sides about the open orders of a restored copy, once each; one
// that a side keeps silent about is asked for again and does not keep the others
// waiting.
func Copy(st *store.Store, ask map[store.CopyDomain]func(ctx context.Context, order string) error) Job {
	return Job{Name: "restored_copy", Every: 10 * time.Second, Run: func(ctx context.Context) (n int, err error) {
		for _, d := range store.CopyDomains() {
			ids, failed := st.Unchecked(ctx, d, copyBatch)
			err = errors.Join(err, failed)
			for _, id := range ids {
				if ctx.Err() != nil {
					return n, errors.Join(err, ctx.Err())
				}
				if failed := ask[d](ctx, id); failed != nil {
					err = errors.Join(err, fmt.Errorf("%s order %s: %w", d, id, failed))
					continue
				}
				n++
			}
		}
		return n, err
	}}
}
