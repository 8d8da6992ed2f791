package reconcile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	blockSize   = 32 << 10
	usualMemory = 64 << 20
)

// spool keeps the packed lines of every part: in memory up to a limit, then in
// one file that has no name any more where the system allows that.
type spool struct {
	folder string
	limit  int // bytes in memory
	held   int
	spare  [][]byte // blocks that no list needs now
	lists  [lists]list
	file   *os.File
	path   string // of a file that could not be unnamed yet
	end    int64
}

// list is one row of bytes in the spool.
type list struct {
	blocks [][]byte // in memory, the last one is being filled
	out    []extent // on the disk, before those in memory
	size   int
}

type extent struct {
	at   int64
	size int
}

func newSpool(folder string, limit int) spool {
	if limit <= 0 {
		limit = usualMemory
	}
	return spool{folder: folder, limit: limit}
}

// add appends a record, which is never cut.
func (s *spool) add(to int, record []byte) error {
	l := &s.lists[to]
	last := len(l.blocks) - 1
	if last < 0 || len(l.blocks[last])+len(record) > cap(l.blocks[last]) {
		if err := s.open(l, len(record)); err != nil {
			return err
		}
		last = len(l.blocks) - 1
	}
	l.blocks[last] = append(l.blocks[last], record...)
	l.size += len(record)
	return nil
}

// open makes room for a record: a new block, or where memory is short the same
// one again after the disk has taken it. Little lists have little blocks.
func (s *spool) open(l *list, need int) error {
	last := len(l.blocks) - 1
	if last >= 0 && cap(l.blocks[last]) >= blockSize && s.held+blockSize > s.limit {
		if err := s.write(l); err != nil {
			return err
		}
		l.blocks[0] = l.blocks[0][:0]
		if cap(l.blocks[0]) >= need {
			return nil
		}
	}
	size := max(need, min(blockSize, max(512, l.size)))
	s.held += size
	if n := len(s.spare); n > 0 && size == blockSize {
		l.blocks = append(l.blocks, s.spare[n-1])
		s.spare = s.spare[:n-1]
		return nil
	}
	l.blocks = append(l.blocks, make([]byte, 0, size))
	return nil
}

// give takes a block back, for another list.
func (s *spool) give(b []byte) {
	s.held -= cap(b)
	if cap(b) == blockSize {
		s.spare = append(s.spare, b[:0])
	}
}

// write brings what a list has in memory to the disk and keeps one empty block.
func (s *spool) write(l *list) error {
	if s.file == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	for _, b := range l.blocks {
		if len(b) == 0 {
			continue
		}
		if _, err := s.file.WriteAt(b, s.end); err != nil {
			return fmt.Errorf("对账的临时文件写不进去：%w", err)
		}
		l.out = append(l.out, extent{s.end, len(b)})
		s.end += int64(len(b))
	}
	last := l.blocks[len(l.blocks)-1]
	for _, b := range l.blocks[:len(l.blocks)-1] {
		s.give(b)
	}
	l.blocks = [][]byte{last[:0]}
	return nil
}

func (s *spool) create() (err error) {
	const name = ".hospay-reconcile-*"
	if s.file, err = os.CreateTemp(s.folder, name); err != nil && s.folder != "" {
		s.file, err = os.CreateTemp("", name)
	}
	if err != nil {
		return fmt.Errorf("对账的临时文件建不了：%w", err)
	}
	if os.Remove(s.file.Name()) != nil { // Windows, which unnames no open file
		s.path = s.file.Name()
	}
	return nil
}

// read returns a list as a whole, in the buffer where it is large enough.
func (s *spool) read(from int, buf []byte) ([]byte, error) {
	l := &s.lists[from]
	if cap(buf) < l.size {
		buf = make([]byte, 0, l.size+l.size/8)
	}
	buf = buf[:0]
	for _, e := range l.out {
		buf = buf[:len(buf)+e.size]
		if _, err := s.file.ReadAt(buf[len(buf)-e.size:], e.at); err != nil {
			return nil, fmt.Errorf("对账的临时文件读不出来：%w", err)
		}
	}
	for _, b := range l.blocks {
		buf = append(buf, b...)
	}
	return buf, nil
}

// reader reads a list from its beginning.
func (s *spool) reader(from int) io.Reader {
	var all []io.Reader
	for _, e := range s.lists[from].out {
		all = append(all, io.NewSectionReader(s.file, e.at, int64(e.size)))
	}
	for _, b := range s.lists[from].blocks {
		all = append(all, bytes.NewReader(b))
	}
	return io.MultiReader(all...)
}

// drop forgets a list.
func (s *spool) drop(which int) {
	for _, b := range s.lists[which].blocks {
		s.give(b)
	}
	s.lists[which] = list{}
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if s.path != "" {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}
