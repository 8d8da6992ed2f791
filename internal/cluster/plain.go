//go:build !dqlite

package cluster

import (
	"context"
	"database/sql"
	"net"
)

// Node is none: this program was built without dqlite.
type Node struct{}

// Start refuses.
func Start(context.Context, Config) (*Node, error) { return nil, ErrNoCluster }

// Open refuses.
func Open(string) (*sql.DB, error) { return nil, ErrNoCluster }

// Copy refuses.
func Copy(context.Context, string, string) error { return ErrNoCluster }

// Servers refuses.
func Servers(context.Context, string) ([]Server, error) { return nil, ErrNoCluster }

// Remove refuses.
func Remove(context.Context, string, string) error { return ErrNoCluster }

// Door refuses.
func (*Node) Door(string, string) error { return ErrNoCluster }

// Listener is none.
func (*Node) Listener(string) net.Listener { return nil }

// Lead refuses.
func (*Node) Lead(context.Context) error { return ErrNoCluster }

// MustLead does nothing.
func (*Node) MustLead() {}

// Leave does nothing.
func (*Node) Leave() error { return nil }
