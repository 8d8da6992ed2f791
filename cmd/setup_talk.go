package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"hospay/config"
	"hospay/flow"
	"hospay/hooks/it"
)

// mostSaid bounds what is kept of a setup's words.
const mostSaid = 256 << 10

// talks holds the setup that superusers do in the dashboard: the steps and
// questions of the terminal, one at a time, in a server that runs. One setup is
// under way at most; whoever comes back goes on where it stands.
type talks struct {
	rt       *Runtime
	settings *config.Service
	mu       sync.Mutex
	now      *talk // the last one, under way or ended
}

// talk is one setup that is under way, or how it ended.
type talk struct {
	mu      sync.Mutex
	said    bytes.Buffer
	asked   *question // nil: the program works
	ended   bool
	answers chan string
	over    context.Context
	leave   context.CancelFunc
	done    chan struct{} // closed when the last step has come back
}

// Write takes the words of the steps.
func (t *talk) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.said.Len() < mostSaid {
		t.said.Write(p)
	}
	return len(p), nil
}

// answer waits for whoever reads the page.
func (t *talk) answer(q question) (string, error) {
	t.mu.Lock()
	t.asked = &q
	t.mu.Unlock()
	select {
	case text := <-t.answers:
		return text, nil
	case <-t.over.Done():
		return "", errLeft
	}
}

// open takes a file as the page sends it, its name in the first line. No file of
// the server is read for a page.
func (*talk) open(answer string) (string, []byte, error) {
	name, text, found := strings.Cut(answer, "\n")
	if !found {
		return "", nil, errors.New("请选择文件")
	}
	return name, []byte(text), nil
}

// take gives an answer to the question with a key. Only the one that is being
// asked can be answered.
func (t *talk) take(key, text string) bool {
	t.mu.Lock()
	if t.asked == nil || t.asked.key != key {
		t.mu.Unlock()
		return false
	}
	t.asked = nil
	t.mu.Unlock()
	select {
	case t.answers <- text:
		return true
	case <-t.over.Done():
		return false
	}
}

// wizard is one that asks t.
func (t *talks) wizard(from *talk, superuser string) *wizard {
	a := &asker{given: map[string]string{}, used: map[string]bool{}}
	if from != nil {
		a.from, a.out = from, from
	}
	return &wizard{asker: a, rt: t.rt, settings: t.settings, superuser: superuser}
}

// pageSteps are those that a page does: whoever reads it is a superuser already.
func pageSteps() []step { return steps()[1:] }

// State implements it.Setup.
func (t *talks) State(context.Context) (it.SetupState, error) {
	out := it.SetupState{Steps: []it.SetupStep{}}
	w := t.wizard(nil, "")
	channel := false
	for _, s := range pageSteps() {
		row := it.SetupStep{Title: s.title}
		if w.house != nil || len(out.Steps) == 0 {
			have, err := s.done(w)
			if err != nil {
				return out, err
			}
			row.Done = have
		}
		out.Steps = append(out.Steps, row)
		if strings.HasPrefix(s.title, "渠道") {
			channel = channel || row.Done != ""
		} else {
			out.Open = out.Open || row.Done == ""
		}
	}
	out.Open = out.Open || !channel
	t.mu.Lock()
	now := t.now
	t.mu.Unlock()
	if now == nil {
		return out, nil
	}
	now.mu.Lock()
	defer now.mu.Unlock()
	out.Said, out.UnderWay = now.said.String(), !now.ended
	if q := now.asked; q != nil && !now.ended {
		out.Question = &it.SetupQuestion{Key: q.key, Label: q.label, Help: q.help, Default: q.def, Optional: q.optional, File: q.file,
			Named: q.named, Secret: q.secret, Choices: append([]string{}, q.choices...)}
		if path, is := strings.CutPrefix(q.def, "@"); is && q.file { // a file of ours, which the page shows
			_, text, err := readFile(path)
			if err != nil {
				return out, err
			}
			out.Question.Default = string(text)
		}
	}
	return out, nil
}

// Begin implements it.Setup.
func (t *talks) Begin(ctx context.Context, superuser string) error {
	state, err := t.State(ctx)
	if err != nil {
		return err
	}
	if !state.Open {
		return flow.NewError(it.CodeSetupDone, "")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != nil && t.now.underWay() {
		return nil
	}
	t.now = newTalk()
	go t.lead(t.now, superuser, pageSteps())
	return nil
}

func newTalk() *talk {
	now := &talk{answers: make(chan string), done: make(chan struct{})}
	now.over, now.leave = context.WithCancel(context.Background())
	return now
}

func (t *talk) underWay() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.ended
}

// lead goes through the steps, as the terminal does. Leaving ends a question,
// never what a step is doing: a trial debit at the HIS is undone before anything
// ends.
func (t *talks) lead(now *talk, superuser string, all []step) {
	ctx, w := context.Background(), t.wizard(now, superuser)
	switch err := w.steps(ctx, all, 1, len(all)+1); {
	case err == nil:
		fmt.Fprintf(now, "\n—— 检查\n")
		_ = w.finish(ctx) // it says itself what is wrong
	case !errors.Is(err, errLeft):
		fmt.Fprintf(now, "\n✗ %s\n", flow.WordsOf(err))
	}
	now.mu.Lock()
	defer now.mu.Unlock()
	now.ended, now.asked = true, nil
	if now.over.Err() != nil {
		now.said.Reset() // whoever left has said that they need no word of it
	}
	now.leave()
	close(now.done)
}

// Answer implements it.Setup.
func (t *talks) Answer(_ context.Context, key, text string) error {
	t.mu.Lock()
	now := t.now
	t.mu.Unlock()
	if now == nil || !now.take(key, text) {
		return flow.NewError(flow.CodeConflict, "")
	}
	return nil
}

// Leave implements it.Setup. Its words, with passwords that are shown once, are
// gone at once; nothing else begins until the step that works has come back.
func (t *talks) Leave() {
	t.mu.Lock()
	now := t.now
	t.mu.Unlock()
	if now == nil {
		return
	}
	now.mu.Lock()
	waits := now.asked != nil
	now.said.Reset()
	now.mu.Unlock()
	now.leave()
	if waits {
		<-now.done
	}
}
