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

// Copy asks HIS and the channels about the open orders of a restored copy, once
// each; one that a side keeps silent about is asked for again and does not
// keep the others waiting.
func Copy(st *store.Store, ask func(ctx context.Context, order string) error) Job {
	return Job{Name: "restored_copy", Every: 10 * time.Second, Run: func(ctx context.Context) (n int, err error) {
		ids, err := st.Unchecked(ctx, copyBatch)
		for _, id := range ids {
			if ctx.Err() != nil {
				return n, errors.Join(err, ctx.Err())
			}
			if failed := ask(ctx, id); failed != nil {
				err = errors.Join(err, fmt.Errorf("order %s: %w", id, failed))
				continue
			}
			n++
		}
		return n, err
	}}
}
