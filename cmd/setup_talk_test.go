package cmd

import (
	"context"
	"testing"
)

// TestSetup_LeavingThePageEndsNoStep: what a step has begun at another side, as a
// debit that it will undo, goes on to its end, and nothing begins beside it.
func TestSetup_LeavingThePageEndsNoStep(t *testing.T) {
	began, answered := make(chan struct{}), make(chan struct{})
	var cut error
	work := step{title: "HIS", done: func(*wizard) (string, error) { return "", nil }, run: func(ctx context.Context, w *wizard) error {
		close(began)
		<-answered
		cut = ctx.Err()
		_, err := w.ask(question{key: "next", label: "下一个问题"})
		return err
	}}
	now := newTalk()
	all := &talks{now: now}
	go all.lead(now, "it", []step{work})
	<-began
	all.Leave()
	if !now.underWay() {
		t.Error("the step works, and another setup could begin")
	}
	close(answered)
	<-now.done
	if cut != nil {
		t.Errorf("the step's calls were cut off: %v", cut)
	}
	if now.underWay() || now.said.Len() > 0 {
		t.Errorf("%v %q", now.underWay(), now.said.String())
	}
}
