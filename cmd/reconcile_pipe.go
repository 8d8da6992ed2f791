package cmd

import (
	"errors"
	"fmt"

	"hospay/reconcile"
)

// lines is a source of lines.
type lines = func(yield func(reconcile.Line) error) error

const (
	pipeBatch = 512 // lines that go through the pipe together
	pipeDepth = 16
)

// errStopped ends the reader when the other end has failed.
var errStopped = errors.New("stopped")

// piped runs a source in a goroutine of its own. It returns only after that
// has ended; its panics become errors.
func piped(source lines) lines {
	return func(yield func(reconcile.Line) error) error {
		pipe, stop, done := make(chan []reconcile.Line, pipeDepth), make(chan struct{}), make(chan error, 1)
		go func() {
			defer close(pipe)
			done <- pump(source, pipe, stop)
		}()
		var failed error
		for batch := range pipe {
			for i := 0; i < len(batch) && failed == nil; i++ {
				if failed = yield(batch[i]); failed != nil {
					close(stop)
				}
			}
		}
		if err := <-done; failed == nil {
			failed = err
		}
		return failed
	}
}

func pump(source lines, pipe chan<- []reconcile.Line, stop <-chan struct{}) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("对账程序内部错误，没有产生结果：%v", p)
		}
	}()
	var batch []reconcile.Line
	flush := func() error {
		select {
		case pipe <- batch:
			batch = make([]reconcile.Line, 0, pipeBatch)
			return nil
		case <-stop:
			return errStopped
		}
	}
	err = source(func(l reconcile.Line) error {
		if batch = append(batch, l); len(batch) < pipeBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
