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
	"hospay/sim/centre"
	"hospay/sim/his"
	"hospay/sim/portal"
	"hospay/sim/sms"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

// Options says where the simulators live and who their patients are.
type Options struct {
	BasePort  int    // port of the first row of the table; 0 takes free ports
	Dir       string // keeps the day from which deposits are counted back; "" = today
	Seed      int64
	Host      string        // default 127.0.0.1
	Patients  int           // default 20
	SecondHIS bool          // also the HIS to which a hospital moves
	Ahead     time.Duration // how far all clocks begin ahead of real time
}

// Set is the running simulators. A field without a simulator is nil.
type Set struct {
	World  *world.World
	WeChat *wechat.Server
	Alipay *alipay.Server
	HIS    *his.Server
	Centre *centre.Server
	Portal *portal.Server
	SMS    *sms.Server
	HIS2   *his.Server

	Running []Running
}

// Running is a simulator that serves.
type Running struct {
	Simulator
	*sim.Core
}

// Simulator is a row of the table.
type Simulator struct {
	Name   string // stands for it in code and flags
	Title  string // stands for it on a screen
	Offset int    // of its port from the first
	make   func(*Set) (*sim.Core, error)
	wanted func(Options) bool // nil = always
}

// Simulators are all simulators; this table and the field of Set that a row
// fills are the one place where a simulator is added.
var Simulators = []Simulator{
	{"wechat", "微信支付", 0, func(s *Set) (c *sim.Core, err error) {
		if s.WeChat, err = wechat.New(s.World, sim.SharedKeys()); err == nil {
			c = s.WeChat.Core
		}
		return c, err
	}, nil},
	{"alipay", "支付宝", 1, func(s *Set) (c *sim.Core, err error) {
		if s.Alipay, err = alipay.New(s.World, sim.SharedKeys()); err == nil {
			c = s.Alipay.Core
		}
		return c, err
	}, nil},
	{"his", "HIS", 2, func(s *Set) (*sim.Core, error) { s.HIS = his.New(s.World); return s.HIS.Core, nil }, nil},
	{"centre", "医保中心", 3, func(s *Set) (c *sim.Core, err error) {
		if s.Centre, err = centre.New(s.World); err == nil {
			c = s.Centre.Core
		}
		return c, err
	}, nil},
	{"portal", "医院门户", 4, func(s *Set) (*sim.Core, error) { s.Portal = portal.New(s.World); return s.Portal.Core, nil }, nil},
	{"sms", "短信网关", 5, func(s *Set) (*sim.Core, error) { s.SMS = sms.New(s.World); return s.SMS.Core, nil }, nil},
	{"his2", "新的HIS", 6, func(s *Set) (*sim.Core, error) { s.HIS2 = his.Second(s.World); return s.HIS2.Core, nil },
		func(o Options) bool { return o.SecondHIS }},
}

// Start serves until ctx ends or Close is called.
func Start(ctx context.Context, o Options) (*Set, error) {
	base, err := baseDay(o.Dir, time.Now().Add(o.Ahead))
	if err != nil {
		return nil, err
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	s := &Set{World: world.New(o.Seed, o.Patients, base)}
	for _, row := range Simulators {
		if row.wanted != nil && !row.wanted(o) {
			continue
		}
		core, err := row.make(s)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("simulator %s: %w", row.Name, err), s.Close())
		}
		core.Clock().Begin(o.Ahead)
		s.Running = append(s.Running, Running{row, core})
	}
	s.WeChat.Insure(s.Centre)
	s.Alipay.Insure(s.Centre)
	for _, h := range []*his.Server{s.HIS, s.HIS2} {
		if h != nil && s.Centre != nil {
			h.Behind(s.Centre)
		}
	}
	for _, r := range s.Running { // when one answers, all do at once
		if err := r.listen(o); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	context.AfterFunc(ctx, func() { s.Close() })
	return s, nil
}

func (r Running) listen(o Options) error {
	port := 0
	if o.BasePort > 0 {
		port = o.BasePort + r.Offset
	}
	return r.Core.Listen(o.Host, port)
}

// Close stops all simulators.
func (s *Set) Close() error {
	var err error
	for _, r := range s.Running {
		err = errors.Join(err, r.Core.Close())
	}
	return err
}

// Advance moves the virtual time of every simulator.
func (s *Set) Advance(d time.Duration) {
	for _, r := range s.Running {
		r.Clock().Advance(d)
	}
}

// Titles are the titles of the simulators that run without being asked for.
func Titles() string {
	var out []string
	for _, row := range Simulators {
		if row.wanted == nil {
			out = append(out, row.Title)
		}
	}
	return strings.Join(out, "、")
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
