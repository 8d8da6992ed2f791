package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Result is a finished run.
type Result struct {
	Summary     Summary
	Differences []Order // by order number
	engine      *Engine
}

// Run compares the books. Nothing may be added afterwards.
func (e *Engine) Run() (*Result, error) {
	if err := errors.Join(e.settle(), e.settleSigns()); err != nil {
		return nil, err
	}
	e.ids = known{alipay: e.names.find(ChannelAlipay), original: e.names.find(MethodOriginal), pay: e.names.find(MethodPay)}
	res, found := &Result{engine: e}, [shards][]Order{}
	table, alone := channelTable{}, map[uint16]bool{}
	var mu sync.Mutex
	res.Summary.Day = e.opt.Day
	err := e.each(func(p *shard, which int) error {
		found[which] = p.compareAll()
		mu.Lock()
		defer mu.Unlock()
		res.Summary.merge(&p.sum)
		return nil
	}, func(p *shard) {
		table.merge(p.table)
		for c := range p.alone {
			alone[c] = true
		}
	})
	if err != nil {
		return nil, err
	}
	res.Differences = slices.Concat(found[:]...)
	slices.SortStableFunc(res.Differences, compareOrders)
	for c := range alone {
		res.Summary.Unbills = append(res.Summary.Unbills, e.names.get(c))
	}
	slices.Sort(res.Summary.Unbills)
	res.Summary.Channels = table.list()
	return res, nil
}

func compareOrders(a, b Order) int {
	return cmp.Or(cmp.Compare(cmp.Or(a.OrderNo, a.BillNo), cmp.Or(b.OrderNo, b.BillNo)), cmp.Compare(a.BillNo, b.BillNo))
}

// each has all shards that hold lines loaded and joined, on all processors; done
// is told what each worker has gathered.
func (e *Engine) each(do func(p *shard, which int) error, done func(*shard)) error {
	var next atomic.Int32
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), 8)
	if e.rows[Platform]+e.rows[Channel]+e.rows[HIS] < 1000 {
		workers = 1
	}
	errs, all := make([]error, workers), make([]*shard, workers)
	for w := range workers {
		p := newShard(&e.shared)
		all[w] = p
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					errs[w] = fmt.Errorf("对账程序内部错误，没有产生结果：%v", r)
				}
			}()
			for i := int(next.Add(1)) - 1; i < shards && errs[w] == nil; i = int(next.Add(1)) - 1 {
				if e.spool.lists[i].size == 0 {
					continue
				}
				if errs[w] = p.load(&e.spool, i); errs[w] == nil {
					p.join()
					errs[w] = do(p, i)
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, p := range all {
		if done != nil {
			done(p)
		}
	}
	return nil
}

// compareAll counts the orders of a part and returns the differences.
func (e *shard) compareAll() (out []Order) {
	for i := range e.orders {
		v := e.look(&e.orders[i])
		e.countAside(&v)
		if v.aside {
			continue
		}
		m := e.judge(&v)
		e.count(&v, m)
		if !v.expected[Channel] {
			e.sum.Unbilled.add(v.anyAmount())
			e.alone[v.channel()] = true
		}
		switch {
		case m != 0:
			o := e.order(&v, m)
			e.sum.Differences[o.Kind]++
			out = append(out, o)
		default:
			e.sum.Matched++
			if !v.moved() {
				e.sum.Idle++
			}
		}
	}
	return out
}

// merge adds what a part comes to.
func (s *Summary) merge(p *Summary) {
	for b := range books {
		s.Books[b].merge(p.Books[b])
		s.SetAside[b].merge(p.SetAside[b])
		s.Inflow[b].merge(p.Inflow[b])
		s.Undone[b].merge(p.Undone[b])
	}
	for k := range p.Differences {
		s.Differences[k] += p.Differences[k]
	}
	s.Orders, s.Matched, s.Idle = s.Orders+p.Orders, s.Matched+p.Matched, s.Idle+p.Idle
	s.Other.merge(p.Other)
	s.Returned.merge(p.Returned)
	s.Unbilled.merge(p.Unbilled)
	s.Overage, s.Shortage = s.Overage+p.Overage, s.Shortage+p.Shortage
	for i := range p.Pairs {
		a, b := &s.Pairs[i], &p.Pairs[i]
		if p.Orders > 0 {
			a.A, a.B = b.A, b.B
		}
		a.Agree.merge(b.Agree)
		a.Differ += b.Differ
		a.OnlyA.merge(b.OnlyA)
		a.OnlyB.merge(b.OnlyB)
	}
}

func (s *Sum) merge(other Sum) {
	s.Count += other.Count
	s.Amount += other.Amount
}

func (t channelTable) merge(other channelTable) {
	for k, c := range other {
		if t[k] == nil {
			t[k] = &ChannelSum{Channel: c.Channel, Method: c.Method}
		}
		for b := range c.Books {
			t[k].Books[b].merge(c.Books[b])
		}
		t[k].Differences += c.Differences
	}
}
