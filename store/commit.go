package store

import (
	"context"
	"errors"
	"sync"

	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

var errAborted = errors.New("collections: the transaction was aborted")

// groupLimit bounds how many changes share a transaction.
const groupLimit = 12

// commitGroup collects changes that wait while another group is being written.
// With synchronous=FULL the wait for the disk is what a commit costs; changes
// that arrive meanwhile share the next one. The worker and the callbacks thus
// hold at most one place in the queue for the writer, and people's requests
// never stand behind many.
type commitGroup struct {
	mu      sync.Mutex
	waiting []*pendingCommit
	writing chan struct{} // holds the one who writes a group
}

func newCommitGroup() commitGroup { return commitGroup{writing: make(chan struct{}, 1)} }

type pendingCommit struct {
	write    func(core.App) error
	err      error
	panicked any // what is raised again where the change came from
	done     chan struct{}
}

// Commit writes a change of a refund order.
func (s *Store) Commit(_ context.Context, c *refund.Change) error {
	err := s.Together(func(tx core.App) error { return s.write(tx, c) })
	if err == nil && c.ID != "" && s.Committed != nil {
		s.Committed(collections.RefundOrders, c.ID)
	}
	return err
}

// Together runs write in a transaction that it may share with the changes of
// others, of any domain. It returns when the change is on disk, or was not
// written at all: a change that fails takes nothing of its group with it.
func (s *Store) Together(write func(core.App) error) error {
	p := &pendingCommit{write: write, done: make(chan struct{})}
	g := &s.group
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	g.mu.Unlock()
	for {
		select { // whose change is written does not wait for the turn of others
		case <-p.done:
			if p.panicked != nil {
				panic(p.panicked)
			}
			return p.err
		case g.writing <- struct{}{}:
			s.lead(p)
		}
	}
}

// lead writes the next group, unless somebody has written this change meanwhile.
func (s *Store) lead(p *pendingCommit) {
	defer func() { <-s.group.writing }()
	select {
	case <-p.done:
	default:
		s.commitGroup(s.group.take())
	}
}

func (g *commitGroup) take() []*pendingCommit {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupLimit)
	batch := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	return batch
}

// commitGroup writes changes in one transaction, each behind a savepoint.
func (s *Store) commitGroup(batch []*pendingCommit) {
	err := errAborted
	defer func() { // also when a panic passes through
		for _, p := range batch {
			if err != nil {
				p.err = err // nothing of the group was written
			}
			close(p.done)
		}
	}()
	err = s.transact(func(tx core.App) error {
		for _, p := range batch {
			if err := s.commitOne(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// commitOne writes a change or takes it back. The error it returns is one of
// the transaction itself.
func (s *Store) commitOne(tx core.App, p *pendingCommit) error {
	db := tx.DB()
	if err := exec(db, "SAVEPOINT change"); err != nil {
		return err
	}
	if p.attempt(tx); p.err != nil {
		if err := exec(db, "ROLLBACK TO change"); err != nil {
			return err
		}
	}
	return exec(db, "RELEASE change")
}

// attempt writes the change. Whoever writes a group is seldom whose change it is: a
// panic in one is not the others'.
func (p *pendingCommit) attempt(tx core.App) {
	defer func() {
		if p.panicked = recover(); p.panicked != nil {
			p.err = errAborted
		}
	}()
	p.err = p.write(tx)
}

func exec(db dbx.Builder, sql string) error {
	_, err := db.NewQuery(sql).Execute()
	return err
}

func (s *Store) write(tx core.App, c *refund.Change) error {
	if c.Callback != nil {
		if err := insertCallback(tx, *c.Callback); err != nil {
			return err
		}
	}
	if c.ID == "" {
		return nil
	}
	return s.apply(tx, c, s.now())
}
