// Package all starts every simulator on one host with one test world.
package all

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/alipay"
	"hospay/sim/his"
	"hospay/sim/portal"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

// Options says where the simulators live and who their patients are.
type Options struct {
	BasePort int    // WeChat = BasePort, Alipay +1, HIS +2, portal +4; 0 takes free ports
	Dir      string // keeps the day from which deposits are counted back; "" = today
	Seed     int64
	Host     string        // default 127.0.0.1
	Patients int           // default 20
	Ahead    time.Duration // how far all clocks begin ahead of real time
}

// Set is the running simulators.
type Set struct {
	World  *world.World
	WeChat *wechat.Server
	Alipay *alipay.Server
	HIS    *his.Server
	Portal *portal.Server
}

// Start serves until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Set, error) {
	base, err := baseDay(o.Dir, time.Now().Add(o.Ahead))
	if err != nil {
		return nil, err
	}
	keys := sim.SharedKeys()
	s := &Set{World: world.New(o.Seed, o.Patients, base)}
	if s.WeChat, err = wechat.New(s.World, keys); err != nil {
		return nil, err
	}
	if s.Alipay, err = alipay.New(s.World, keys); err != nil {
		return nil, errors.Join(err, s.WeChat.Close())
	}
	s.HIS, s.Portal = his.New(s.World), portal.New(s.World)
	for _, c := range s.cores() {
		c.Clock().Begin(o.Ahead)
	}
	if err := s.listen(o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	context.AfterFunc(ctx, func() { s.Close() })
	return s, nil
}

func (s *Set) listen(o Options) error {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	for _, at := range []struct {
		core   *sim.Core
		offset int
	}{{s.WeChat.Core, 0}, {s.Alipay.Core, 1}, {s.HIS.Core, 2}, {s.Portal.Core, 4}} {
		port := 0
		if o.BasePort > 0 {
			port = o.BasePort + at.offset
		}
		if err := at.core.Listen(o.Host, port); err != nil {
			return err
		}
	}
	return nil
}

// Close stops all simulators.
func (s *Set) Close() error {
	return errors.Join(s.WeChat.Close(), s.Alipay.Close(), s.HIS.Close(), s.Portal.Close())
}

// Advance moves the virtual time of every simulator.
func (s *Set) Advance(d time.Duration) {
	for _, c := range s.cores() {
		c.Clock().Advance(d)
	}
}

func (s *Set) cores() []*sim.Core {
	return []*sim.Core{s.WeChat.Core, s.Alipay.Core, s.HIS.Core, s.Portal.Core}
}

// baseDay remembers the first day, so that the same deposits have the same dates after a restart.
func baseDay(dir string, now time.Time) (time.Time, error) {
	if dir == "" {
		return now, nil
	}
	path := filepath.Join(dir, "first-day")
	if raw, err := os.ReadFile(path); err == nil {
		return time.ParseInLocation(time.DateOnly, strings.TrimSpace(string(raw)), sim.Beijing)
	}
	now = now.In(sim.Beijing)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return now, fmt.Errorf("simulator directory: %w", err)
	}
	return now, os.WriteFile(path, []byte(now.Format(time.DateOnly)+"\n"), 0o600)
}
