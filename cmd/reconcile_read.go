package cmd

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hospay/reconcile"
	"hospay/reconcile/files"
	"hospay/report"
)

// maxRejects is where a file is no longer worth reading.
const maxRejects = 100_000

// input is an opened file.
type input struct {
	name string
	file *os.File
	size int64
	hash string
	err  error // of reading it
}

// watch is the file as the readers take it; the bar sees how far they are.
func (in *input) watch(p *progress) files.File {
	return files.File{Name: in.name, Data: watched{in.file, p}, Size: in.size}
}

// read reads the files into the engine and compares them.
func (j *reconcileJob) read(engine *reconcile.Engine) error {
	inputs, err := openInputs(append([]string{j.platform, j.his}, j.channels...))
	defer func() {
		for _, in := range inputs {
			in.file.Close()
		}
	}()
	if err != nil {
		return err
	}
	j.bar = newProgress(j.stderr, inputs)
	defer j.bar.stop()
	if j.bar.total > bigInputs {
		debug.SetGCPercent(gcBig)
	} else {
		debug.SetGCPercent(gcLittle)
	}
	if err := j.readAll(engine, inputs); err != nil {
		return err
	}
	if inputs[0].hash == inputs[1].hash {
		j.result.Notes = append(j.result.Notes, "平台和 HIS 的文件内容完全相同，请确认没有拿错文件")
	}
	j.bar.say("核对")
	if j.result.Result, err = engine.Run(); err != nil {
		return err
	}
	j.noteUnbilled()
	j.noteSigns()
	return nil
}

// reading is what became of a file.
type reading struct {
	in       *input
	book     reconcile.Book
	lines    *reconcile.Feeder
	repeated bool
	info     files.Info
	rejects  []report.Rejected
	err      error
}

// readAll reads the files, as many at the same time as there are processors,
// and tells of them in their order: the first that fails ends the run.
func (j *reconcileJob) readAll(engine *reconcile.Engine, inputs []*input) error {
	all, seen := make([]*reading, len(inputs)), map[string]bool{}
	for i, in := range inputs {
		book := reconcile.Channel
		if i < 2 {
			book = [...]reconcile.Book{reconcile.Platform, reconcile.HIS}[i]
		}
		all[i] = &reading{in: in, book: book, lines: engine.Feeder(), repeated: i >= 2 && seen[in.hash]}
		seen[in.hash] = seen[in.hash] || i >= 2
	}
	var failed atomic.Int64 // the first that did
	failed.Store(int64(len(all)))
	together(len(all), func(i int) {
		if int64(i) > failed.Load() || all[i].repeated {
			return
		}
		all[i].err = j.readOne(all[i], i, func() bool { return int64(i) > failed.Load() })
		for was := failed.Load(); all[i].err != nil && int64(i) < was && !failed.CompareAndSwap(was, int64(i)); was = failed.Load() {
		}
	})
	for _, r := range all {
		if err := j.tell(engine, r); err != nil {
			return err
		}
	}
	return nil
}

// together runs the pieces of a work, the first ones first, on all processors.
func together(pieces int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), pieces) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < pieces; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// errStopped ends the reading of a file when an earlier one has failed.
var errStopped = errors.New("stopped")

// readOne reads the i-th file: platform, HIS, then the bills. Its panics become
// errors.
func (j *reconcileJob) readOne(r *reading, i int, stopped func() bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("对账程序内部错误，没有产生结果：%v", p)
		}
	}()
	j.bar.say("读取 " + filepath.Base(r.in.name))
	sink := files.Sink{Line: func(l *reconcile.Line) error {
		if stopped() {
			return errStopped
		}
		l.File = uint16(i)
		return r.lines.Add(r.book, l)
	}, Reject: func(bad files.Reject) error {
		if r.rejects = append(r.rejects, report.Rejected(bad)); len(r.rejects) > maxRejects {
			return tooManyRejects(bad.File)
		}
		return nil
	}}
	if r.book == reconcile.Channel {
		r.info, err = files.ReadBill(r.in.watch(j.bar), j.opt.Day, sink)
	} else {
		table := j.table
		if r.book == reconcile.Platform {
			table.Sign = files.AutoSign
		}
		r.info, err = table.ReadTable(r.in.watch(j.bar), r.book, j.opt.Day, sink)
	}
	if err == nil {
		err = r.lines.Flush()
	}
	return err
}

func tooManyRejects(file string) error {
	return fmt.Errorf("%s：无法识别的行超过 %d 行，请检查文件", file, maxRejects)
}

// tell adds to the result what became of a file.
func (j *reconcileJob) tell(engine *reconcile.Engine, r *reading) error {
	in, info := r.in, r.info
	if r.repeated {
		j.result.Files = append(j.result.Files, report.ReconFile{Name: in.name, SHA256: in.hash, Repeated: true})
		j.result.Notes = append(j.result.Notes, in.name+"与前面的渠道账单内容相同，没有重复计算")
		return nil
	}
	if j.result.Rejects = append(j.result.Rejects, r.rejects...); len(j.result.Rejects) > maxRejects {
		return tooManyRejects(in.name)
	}
	if r.err != nil {
		return r.err
	}
	if r.book == reconcile.Channel {
		if err := engine.Bill(info.Channel); err != nil {
			return err
		}
	}
	j.result.Files = append(j.result.Files, report.ReconFile{Name: in.name, Kind: info.Kind, SHA256: in.hash, Lines: info.Lines,
		Rejects: info.Rejects})
	j.result.Notes = append(j.result.Notes, info.Notes...)
	if r.book == reconcile.HIS && j.table.Sign == files.RefundsBelowZero && info.Plus.Count > 0 {
		j.result.Notes = append(j.result.Notes, fmt.Sprintf("HIS 表里金额为正的 %d 笔（%s 元）不是退款，没有核对", info.Plus.Count, info.Plus.Amount.Yuan()))
	}
	return nil
}

// noteSigns tells how amounts of both signs in one table were understood.
func (j *reconcileJob) noteSigns() {
	s := &j.result.Result.Summary
	for _, b := range []reconcile.Book{reconcile.Platform, reconcile.HIS} {
		if in := s.Inflow[b]; in.Count > 0 {
			j.result.Notes = append(j.result.Notes, fmt.Sprintf("%s表里金额有正有负：按单号看，负数是退款；正数 %d 笔（%s 元）当作充值等其他业务，没有核对。若相反，HIS 请用 --his-sign positive",
				b.Chinese(), in.Count, in.Amount.Yuan()))
		}
		if undone := s.Undone[b]; undone.Count > 0 {
			j.result.Notes = append(j.result.Notes, fmt.Sprintf("%s表里金额有正有负：按单号看，正数是退款；负数 %d 笔（%s 元）当作冲正。若相反，HIS 请用 --his-sign negative",
				b.Chinese(), undone.Count, undone.Amount.Yuan()))
		}
	}
}

// noteUnbilled warns of channels that have bills of their own but none was
// given: their money was not compared with the channel.
func (j *reconcileJob) noteUnbilled() {
	s := &j.result.Result.Summary
	for _, c := range s.Unbills {
		if c == reconcile.ChannelWeChat || c == reconcile.ChannelAlipay {
			j.result.Notes = append(j.result.Notes, fmt.Sprintf("没有给%s的账单，它的退款只核对了平台与 HIS，没有核对到渠道", reconcile.ChannelChinese(c)))
		}
	}
}

func openInputs(paths []string) (inputs []*input, err error) {
	if len(paths) > 1000 {
		return nil, errors.New("渠道账单太多")
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return inputs, fmt.Errorf("%s 打不开：%w", path, bare(err))
		}
		in := &input{name: path, file: f}
		inputs = append(inputs, in)
		st, err := f.Stat()
		if err != nil || !st.Mode().IsRegular() {
			return inputs, fmt.Errorf("%s 不是文件", path)
		}
		in.size = st.Size()
	}
	together(len(inputs), func(i int) { inputs[i].sum() })
	for _, in := range inputs {
		if in.err != nil {
			return inputs, fmt.Errorf("%s 读不出来：%w", in.name, bare(in.err))
		}
	}
	return inputs, nil
}

// sum takes the hash of a file.
func (in *input) sum() {
	h := sha256.New()
	_, in.err = io.Copy(h, in.file)
	in.hash = hex.EncodeToString(h.Sum(nil))
}

// bare says in Chinese why a file cannot be had.
func bare(err error) error {
	var p *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errors.New("文件或目录不存在")
	case errors.Is(err, os.ErrPermission):
		return errors.New("没有权限")
	case errors.As(err, &p):
		return p.Err
	}
	return err
}

// writeTemp writes a file beside its final place, for its owner alone: results
// hold card numbers.
func writeTemp(path string, write func(io.Writer) error) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", bare(err)
	}
	buf := bufio.NewWriterSize(f, 1<<20)
	err = errors.Join(write(buf), buf.Flush(), f.Sync(), f.Close())
	return f.Name(), err
}

// progress shows on a terminal how far the reading is.
type progress struct {
	w     io.Writer
	total int64
	done  atomic.Int64
	label atomic.Value
	quit  chan struct{}
	gone  chan struct{}
}

func newProgress(w io.Writer, inputs []*input) *progress {
	p := &progress{w: w, quit: make(chan struct{}), gone: make(chan struct{})}
	for _, in := range inputs {
		p.total += in.size
	}
	p.label.Store("")
	f, ok := w.(*os.File)
	if st, err := statOf(f, ok); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		close(p.gone)
		return p
	}
	go p.show()
	return p
}

func statOf(f *os.File, ok bool) (os.FileInfo, error) {
	if !ok {
		return nil, os.ErrInvalid
	}
	return f.Stat()
}

func (p *progress) say(label string) { p.label.Store(label) }

func (p *progress) show() {
	defer close(p.gone)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.quit:
			fmt.Fprint(p.w, "\r\x1b[K")
			return
		case <-tick.C:
			part := int(min(100, 100*p.done.Load()/max(1, p.total)))
			fmt.Fprintf(p.w, "\r\x1b[K[%s%s] %3d%% %s", strings.Repeat("█", part/5), strings.Repeat("░", 20-part/5), part, p.label.Load())
		}
	}
}

func (p *progress) stop() {
	close(p.quit)
	<-p.gone
}

// watched counts what is read of a file.
type watched struct {
	io.ReaderAt
	p *progress
}

// ReadAt reads and counts.
func (w watched) ReadAt(b []byte, off int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(b, off)
	w.p.done.Add(int64(n))
	return n, err
}
